export { type Allowance, allowanceOf, compare, type Difference } from './compare.js'
export {
  askForWide,
  deviceOption,
  deviceOptions,
  gradientDevice,
  gradientOptions,
  openDevice,
  sessionOptionsOf,
  wideOption
} from './device.js'
export { openGpu, openNullGpu } from './gpu.js'
export { indexOf, type Offer, offerOf } from './offer.js'
export { openReference, type Reference, valuesOf } from './onnxruntime.js'
export { selfCheck } from './self-check.js'
