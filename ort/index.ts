/** onnxruntime-web's exports, and listSupportedBackends of onnxruntime-node, with Cairn behind them. */
import * as common from 'onnxruntime-common'
import type * as All from './all.js'
import './onnxruntime.js'
import { listSupportedBackends } from './supported.js'

export * from './all.js'
export { listSupportedBackends, type SupportedBackend } from './supported.js'

// Not the namespace of all.js, of which Parcel loses what it hands on.
const ort: typeof All = { ...common, listSupportedBackends }
export default ort
