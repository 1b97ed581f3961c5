export * from 'onnxruntime-common'
export { listSupportedBackends, type SupportedBackend } from './supported.js'
