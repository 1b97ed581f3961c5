export { arrivals, Spare } from './arrival.js'
export { type Codec, Cursor, int, list, struct, text, Writer } from './codec.js'
export {
  type Atom,
  atomOf,
  type Bindings,
  type Dim,
  evaluate,
  freeName,
  freeNamesOf,
  type Operation,
  operations,
  type Poly,
  show,
  showAtom,
  showShape,
  type Term
} from './dims.js'
export { type Draw, drawn, type Expected, type Golden, type Sums, summarise } from './expected.js'
export {
  areEqual,
  decode,
  decodeHead,
  decodeHeader,
  decodeSource,
  encode,
  goldenBytes,
  magic,
  payloadOf,
  type Summary
} from './format.js'
export type { CairnFile, Header, Section } from './header.js'
export { mostGolden, type Observer, storagesWritten, sumCount } from './observed.js'
export { type Plan, planProgram } from './plan.js'
export {
  type Argument,
  type Call,
  type Constant,
  type Constraint,
  type Count,
  cutsOf,
  type DType,
  dtypes,
  type Fault,
  type Held,
  type KernelInfo,
  type Outcome,
  outOfRange,
  type Packing,
  type Port,
  type Program,
  paddedLength,
  residentBytes,
  resultsOf,
  type StandalonePort,
  type Stored,
  storedLength,
  widthOf
} from './program.js'
export { type Given, isPlace, type SourceOptions, sourceOf } from './source.js'
export { allElements, elementsOf, unpackInto } from './unpack.js'
