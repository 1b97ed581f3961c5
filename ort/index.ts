/** onnxruntime-web's exports, and listSupportedBackends of onnxruntime-node, with Cairn behind them. */
import * as ort from './all.js'
import './onnxruntime.js'

export * from './all.js'
export default ort
