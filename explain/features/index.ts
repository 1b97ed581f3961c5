export {
  type FeatureLayer,
  FeatureMaps,
  type FeatureMapsOptions,
  type FirstFilters,
  firstFilters
} from './feature-maps.js'
export type { FeatureOptions } from './feature-options.js'
export { type PixelRange, pictureFrom } from './pixels.js'
export {
  type Correlation,
  type Excitement,
  type LayerFindings,
  LayerStatistics,
  patchOf,
  type StatisticsOptions
} from './statistics.js'
export { type AscentOptions, type Preimage, Visualiser, type VisualiserOptions } from './visualiser.js'
