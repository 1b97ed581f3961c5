export { copyFloats, fromFloats } from './elements.js'
export {
  channelCount,
  channelsOf,
  checkImage,
  crop,
  type FitOptions,
  type FloatOptions,
  fit,
  fitting,
  halfEven,
  type ImageSource,
  type ImageTensorOptions,
  imageDims,
  imageElements,
  imageNet,
  isPicture,
  letterbox,
  ofChannel,
  type Picture,
  pictureOf,
  resize,
  type Scored,
  sizeOf,
  softmax,
  toFloatData,
  topK
} from './image.js'
export { arrays, type Data, type GpuTensorOptions, Tensor, type Type } from './tensor.js'
