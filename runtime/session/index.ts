export type { Feeds } from './binding.js'
export type { LayerCheck, Verification } from './golden.js'
export { InferenceSession } from './inference.js'
export type { Location } from './location.js'
export { type ParallelOptions, ParallelSession } from './parallel.js'
export { buffersOf, type Parcels, pack, type Reply, type Request, unpack } from './parcel.js'
export type {
  CallTime,
  Results,
  RunOptions,
  SessionOptions,
  TopOptions
} from './session.js'
