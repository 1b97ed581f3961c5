import { buildGraph } from '../../compiler/index.js'
import { deadCode } from '../../compiler/passes/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { copyFloats, type Tensor } from '../../runtime/tensor/index.js'
import type { Engine } from '../../train/device/engine.js'
import type { Attribution } from '../explanation.js'
import { opened } from '../gradients.js'
import { type Field, fieldOf } from '../placement.js'
import { type FeatureOptions, settingsOf } from './feature-options.js'
import { behind, graphOf, layersAsked, nameOf, unitsOf } from './layers.js'

/** A layer whose maps are looked at. */
export interface FeatureLayer {
  /** Of the node that makes its maps. */
  readonly name: string
  /** Its channels. */
  readonly units: number
  /** Rows of a map, 1 of a layer that has no maps. */
  readonly height: number
  /** Columns of a map, 1 of a layer that has no maps. */
  readonly width: number
  /** What one element sees; undefined where that is all of the input, or not known. */
  readonly field?: Field
}

/** Which layers are looked at. */
export interface FeatureMapsOptions extends FeatureOptions {
  /** Names of nodes or values; by default all layers with weights, each behind its activation. */
  readonly layers?: readonly string[]
  /** Layers that are named are taken behind their activation, as the default ones are. */
  readonly activated?: boolean
}

/** What layers of a network make of a picture. */
export class FeatureMaps {
  private constructor(
    /** In the order of running. */
    readonly layers: readonly FeatureLayer[],
    private readonly dims: readonly number[],
    private readonly engine: Engine,
    private readonly input: string
  ) {}

  /**
   * Compiles the network for a picture of `dims`, [1, C, H, W] or [1, H, W, C], up to the layers. Throws CairnError or CompileError
   * for a layer that there is not, and for a model that is compiled already.
   */
  static async create(
    bytes: Uint8Array,
    dims: readonly number[],
    options: FeatureMapsOptions = {}
  ): Promise<FeatureMaps> {
    const settings = settingsOf(options)
    const graph = graphOf(bytes, dims, options)
    // All that are not named are behind their activations already.
    const asked = layersAsked(graph, options.layers)
    const values = [...new Set(options.activated ? asked.map(behind) : asked)]
    const layers = values.map(value => ({
      name: nameOf(value),
      ...unitsOf(value.shape)!,
      field: fieldOf(graph, value, dims)
    }))
    graph.outputs = [...values]
    graph.outputNames = values.map((_, i) => `layer${i}`)
    graph.outputTypes = values.map(() => 'float32')
    graph.counts = new Map()
    deadCode.run(graph)
    const { program } = buildGraph(graph)
    return new FeatureMaps(layers, dims, await opened(program, settings), program.inputs[0].name)
  }

  /** The maps of each layer, [1, C, H, W] or [1, C]. */
  async run(input: Tensor): Promise<Attribution[]> {
    if (input.dims.join() !== this.dims.join())
      throw new CairnError(`the input is ${input.dims.join('×')}; the layers were compiled for ${this.dims.join('×')}`)
    const made = await this.engine.run(1, { [this.input]: copyFloats(input) })
    return made.map((data, i) => {
      const { units, height, width } = this.layers[i]
      return { data, dims: height * width === 1 ? [1, units] : [1, units, height, width] }
    })
  }

  /** Gives memory and threads back. */
  release(): Promise<void> {
    return this.engine.release()
  }
}

/** The filters of the first convolution, [filters, channels, height, width]; undefined where it reads no picture of 1 or 3 channels. */
export function firstFilters(
  bytes: Uint8Array,
  dims: readonly number[],
  options: FeatureOptions = {}
): FirstFilters | undefined {
  const graph = graphOf(bytes, dims, options)
  const node = graph.nodes.find(({ op }) => op === 'Conv')
  const filters = node?.inputs[1]
  const [, channels] = filters?.shape ?? []
  if (!filters?.data || filters.rank !== 4 || (channels !== 1 && channels !== 3)) return undefined
  return { name: node!.name, data: Float32Array.from(filters.data), dims: filters.shape as readonly number[] }
}

/** Weights of the first convolution. */
export interface FirstFilters extends Attribution {
  /** Of its node. */
  readonly name: string
}
