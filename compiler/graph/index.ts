export { ancestors } from './ancestors.js'
export type { Choice, WinogradTile } from './choice.js'
export {
  type Attribute,
  type Branch,
  type Counted,
  type DType,
  dtypes,
  type Elements,
  type Folding,
  Graph,
  isConstant,
  largestEqual,
  largestFolded,
  Node,
  type Tensor,
  Value
} from './graph.js'
export { areHalves, lostAsHalves } from './halves.js'
