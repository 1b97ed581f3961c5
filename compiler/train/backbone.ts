import { CairnError } from '../../runtime/backend.js'
import { bytesOf } from '../../runtime/brand.js'
import { digest } from '../../runtime/digest.js'
import { type CairnFile, decode, encode, magic } from '../../runtime/format.js'
import type { Program } from '../../runtime/program.js'
import { show } from '../dim.js'
import type { Graph, Value } from '../graph.js'
import { buildGraph } from '../index.js'
import { type NewTensor, writeHead } from '../onnx-write.js'
import { CompiledBackbone } from './compiled.js'
import {
  type Cut,
  type CutOptions,
  cutBetween,
  cutSection,
  findCut,
  type Head,
  headBias,
  headWeights,
  openGraph,
  type Section
} from './network.js'
import type { Patch, TrainedTensor } from './patch.js'

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
  /** The whole model with what a patch has changed, in the model's own format. */
  merged(patch: Patch): Promise<Uint8Array>
  /** The graph, where there is one. */
  graph?(): Graph
}

const isCompiled = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === magic

/** Reads ONNX bytes, or those of a .cairn file, of which only a head can be trained. */
export function openBackbone(given: Uint8Array, options: CutOptions): Backbone {
  const model = bytesOf(given) ?? given
  return isCompiled(model) ? new CompiledBackbone(model) : new OnnxBackbone(model, options)
}

/** A program as a file, for backends to load. */
export function fileOf(program: Program): CairnFile {
  const summary = { arena: 0, arenaLowerBound: 0, nodesBefore: 0, nodesAfter: 0, batchNormsFolded: 0, operators: [] }
  return decode(encode(program, summary))
}

class OnnxBackbone implements Backbone {
  readonly digest: number
  readonly input: string

  constructor(
    private readonly model: Uint8Array,
    private readonly options: CutOptions
  ) {
    const { inputs } = this.graph()
    if (inputs.length !== 1)
      throw new CairnError(`the model has ${inputs.length} inputs; networks with one can be trained`)
    checkInput(inputs[0])
    this.digest = digest(model)
    this.input = inputs[0].name
  }

  graph(): Graph {
    return openGraph(this.model, this.options)
  }

  findCut(options: CutOptions): Cut {
    return findCut(this.graph(), options)
  }

  section(cut: Cut, head: Head): Section {
    return cutSection(this.graph(), cut, head)
  }

  frozen(from: string | undefined, to: string, pooled = false): CairnFile {
    return fileOf(buildGraph(cutBetween(this.graph(), from, to, pooled)).program)
  }

  async merged({ cut, classes, tensors }: Patch): Promise<Uint8Array> {
    const graph = this.graph()
    const features = [...graph.values].find(({ name }) => name === cut.features)
    if (!features) throw new CairnError(`the patch begins behind "${cut.features}", which the model does not have`)
    const nodes = new Map(graph.nodes.map(node => [node.name, node]))
    const typed = (tensor: TrainedTensor): NewTensor => {
      const [use] = tensor.uses
      return { ...tensor, dtype: (use && nodes.get(use.node)?.inputs[use.input]?.dtype) ?? 'float32' }
    }
    const named = (name: string) => ({ ...tensors.find(tensor => tensor.name === name)!, dtype: 'float32' as const })
    return writeHead(this.model, {
      features: cut.features,
      featuresType: features.dtype,
      pooled: cut.pooled && features.rank > 2,
      weight: named(headWeights),
      bias: named(headBias),
      classes,
      tensors: tensors.filter(({ name }) => name !== headWeights && name !== headBias).map(typed),
      externalData: this.options.externalData
    })
  }
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
