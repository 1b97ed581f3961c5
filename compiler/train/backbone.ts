import { CairnError } from '../../runtime/backend.js'
import { digest } from '../../runtime/digest.js'
import { type CairnFile, decode, encode, magic } from '../../runtime/format.js'
import type { Program } from '../../runtime/program.js'
import type { Graph } from '../graph.js'
import { buildGraph } from '../index.js'
import type { NewHead } from '../onnx-write.js'
import { writeHead } from '../onnx-write.js'
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
import type { Patch } from './patch.js'

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
export function openBackbone(model: Uint8Array, options: CutOptions): Backbone {
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
    const { shape } = [...this.graph().values].find(({ name }) => name === cut.features)!
    const head: NewHead = {
      features: cut.features,
      spatial: shape.length - 2,
      weight: headWeights,
      bias: headBias,
      classes,
      tensors,
      externalData: this.options.externalData
    }
    return writeHead(this.model, head)
  }
}
