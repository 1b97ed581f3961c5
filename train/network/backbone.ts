import { show } from '../../compiler/algebra/index.js'
import type { Graph, Value } from '../../compiler/graph/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { type CairnFile, decode, encode, type Program } from '../../runtime/file/index.js'
import type { Patch } from '../patch.js'
import type { Cut, CutOptions, Head, Section } from './network.js'

/** A network that a head is trained on, as ONNX or compiled. */
export interface Backbone {
  readonly digest: number
  /** Name of the model's input. */
  readonly input: string
  findCut(options: CutOptions): Cut
  /** The part that is trained, with a head. */
  section(cut: Cut, head: Head): Section
  /** The part that computes one value from another, or from the model's input; `pooled` to one element a channel. */
  frozen(from: string | undefined, to: string, pooled?: boolean): CairnFile
  /** As ONNX, where there is a graph, the part from the model's input to a value. */
  frozenOnnx?(to: string): Uint8Array
  /** The whole model with what a patch has changed, in the model's own format. */
  merged(patch: Patch): Promise<Uint8Array>
  /** The graph, where there is one. */
  graph?(): Graph
}

/** A program as a file, for backends to load. */
export function fileOf(program: Program): CairnFile {
  const summary = { arena: 0, arenaLowerBound: 0, nodesBefore: 0, nodesAfter: 0, batchNormsFolded: 0, operators: [] }
  return decode(encode(program, summary))
}

/** Examples come one by one, all of one size. */
export function checkInput({ name, shape }: Pick<Value, 'name' | 'shape'>): void {
  const [batch, ...sizes] = shape
  if (typeof batch === 'number' && batch !== 1)
    throw new CairnError(`input "${name}" is fixed to ${batch} examples at once; 1 or a free batch can be trained`)
  const free = sizes.filter(size => typeof size !== 'number').map(show)
  if (free.length)
    throw new CairnError(
      `input "${name}" leaves ${free.join(', ')} free; training needs one size: give shapes: { "${name}": [1, ...] }`
    )
}
