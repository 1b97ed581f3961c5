import type { Graph } from '../../compiler/graph/index.js'
import { buildGraph } from '../../compiler/index.js'
import { emitOnnx, type NewTensor, writeHead } from '../../compiler/onnx/index.js'
import { CairnError, digest } from '../../runtime/base/index.js'
import type { CairnFile } from '../../runtime/file/index.js'
import type { Patch, TrainedTensor } from '../patch.js'
import { type Backbone, checkInput, fileOf } from './backbone.js'
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

export class OnnxBackbone implements Backbone {
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

  frozenOnnx(to: string): Uint8Array {
    return emitOnnx(cutBetween(this.graph(), undefined, to), this.model)
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
