/** What a model that is a module of its own has beside the kernels, which it keeps as far as it needs (compiler/standalone/). */

export { begin, draw, judge, spoil, sum } from './check'
export { fail, readInputs, writeOutputs } from './command'
export { give, release, room, take } from './component'
export { expand, fill, unfold, unpack } from './unpack'
