/** onnxruntime-web's exports, and listSupportedBackends of onnxruntime-node, with Cairn behind them. */
import * as ort from './all.js'
import './onnxruntime.js'

export * from './all.js'
export { listSupportedBackends, type SupportedBackend } from './supported.js'
export default ort
