/** `cairnjs/explain`: why a network gives a picture its class, and what its layers see; for any ONNX CNN, in Node and in browsers. */
import { registerBackend, registerWebGpu } from '../runtime/backend/index.js'
import { wasmBackend } from '../runtime/cpu/index.js'

export { type Explained, Explainer, explain } from './explainer.js'
export type { Attribution, Completeness, Explanation, LayerMaps } from './explanation.js'
export {
  type AscentOptions,
  type Correlation,
  type Excitement,
  type FeatureLayer,
  FeatureMaps,
  type FeatureMapsOptions,
  type FeatureOptions,
  type FirstFilters,
  firstFilters,
  type LayerFindings,
  LayerStatistics,
  type PixelRange,
  type Preimage,
  patchOf,
  pictureFrom,
  type StatisticsOptions,
  Visualiser,
  type VisualiserOptions
} from './features/index.js'
export { type OverlayOptions, overlay, type Peak, paint, peakOf, type SeenRegion } from './heat.js'
export type { HeatMap, Placement } from './maps.js'
export { type ExplainerOptions, type ExplainOptions, type Method, methods } from './options.js'
export type { Field } from './placement.js'

registerBackend(wasmBackend)
registerWebGpu(() => import('../runtime/webgpu/webgpu.js'))
