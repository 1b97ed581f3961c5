export { greatest, isWhole, least } from './bounds.js'
export {
  broadcast,
  broadcastOf,
  ceilDiv,
  type Dim,
  denseStrides,
  div,
  equal,
  freeNamesOf,
  fromOne,
  isStatic,
  less,
  max,
  min,
  product,
  quotient,
  same,
  sameShape,
  show,
  showShape,
  where
} from './dim.js'
export * as real from './real.js'
export { add, found, foundIn, free, isFound, mul, negative, sub, TooLong } from './terms.js'
