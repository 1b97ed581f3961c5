/** `cairnjs/explain`: why a network gives a picture its class, as a map of the picture; for any ONNX CNN, in Node and in browsers. */
import { registerBackend } from '../runtime/backend/index.js'
import { wasmBackend } from '../runtime/cpu/index.js'

export { type Explained, Explainer, explain } from './explainer.js'
export type { Attribution, Completeness, Explanation, LayerMaps } from './explanation.js'
export { type OverlayOptions, overlay, type Peak, paint, peakOf, type SeenRegion } from './heat.js'
export type { HeatMap, Placement } from './maps.js'
export { type ExplainerOptions, type ExplainOptions, type Method, methods } from './options.js'

registerBackend(wasmBackend)
