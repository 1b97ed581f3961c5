export type { LayerReport, QuantiseOptions, QuantiseReport, TensorReport } from './options.js'
export { quantise } from './quantise.js'
export { drawnInput, generator, type PictureRange, pictureRanges, roundedOtherwise, takesPictures } from './scene.js'
export type { Feed, FeedTensor } from './session.js'
