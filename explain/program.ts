import { show } from '../compiler/algebra/index.js'
import { differentiate, rectifiedGradients } from '../compiler/gradients/index.js'
import { type Graph, Value } from '../compiler/graph/index.js'
import { Writer } from '../compiler/infer/index.js'
import { type ImportOptions, importOnnx } from '../compiler/onnx/index.js'
import { foldBatchNorm, foldConstants, foldPad, foldScaleShift } from '../compiler/passes/index.js'
import { CairnError } from '../runtime/base/index.js'
import type { Program } from '../runtime/file/index.js'
import { lowerStep, makeDifferentiable } from '../train/network/pipeline.js'
import type { Placement } from './maps.js'
import type { Method } from './options.js'
import { placementOf } from './placement.js'
import { countOf, layerOf, scoresOf } from './target.js'

/**
 * An explanation is compiled, as a training step is: the network, a backward pass from the score of one class, and nothing that
 * neither needs, as one program. Weights are constants here: normalisations are folded into them, and filters transformed.
 */
export interface Explaining {
  /**
   * Inputs: the model's, and `class` [1], which is -1 for the one with the largest score. Outputs: all scores in a row, then the
   * gradient of that class's score by the input, or the maps of the layer and the gradient by them.
   */
  readonly program: Program
  /** Of the input's axes. */
  readonly dims: readonly number[]
  readonly classes: number
  /** The value whose maps are weighed, and its sizes [1, C, H, W]. */
  readonly layer?: { readonly name: string; readonly dims: readonly number[]; readonly placement?: Placement }
}

/** What of a model is explained. */
export interface Subject extends ImportOptions {
  readonly output?: string
  readonly layer?: string
}

/** The only input of a model, whose axes are all of known size; `given` are those of what comes. */
export function inputOf(graph: Graph): Value {
  if (graph.inputs.length === 1) return graph.inputs[0]
  const names = graph.inputs.map(({ name }) => `"${name}"`).join(', ')
  throw new CairnError(`the model has ${graph.inputs.length} inputs, ${names}; networks with one can be explained`)
}

/** Throws CairnError or CompileError for a model that has no gradient by what is asked for. */
export function buildExplaining(bytes: Uint8Array, dims: readonly number[], method: Method, of: Subject): Explaining {
  const { name } = inputOf(importOnnx(bytes, of))
  const graph = importOnnx(bytes, { ...of, shapes: { ...of.shapes, [name]: dims } })
  foldConstants.run(graph)
  const scores = scoresOf(graph, of.output)
  const weighs = method === 'gradcam' || method === 'gradcam++'
  const layer = weighs ? layerOf(graph, scores, of.layer) : undefined
  const about = layer && {
    name: layer.name,
    dims: layer.shape.map(size => fixed(layer.name, size)),
    placement: placementOf(graph, layer, dims)
  }
  const input = new Value(name, 'float32', dims)
  graph.replace(inputOf(graph), input)
  const chosen = new Value('class', 'float32', [1])
  graph.inputs = [input, chosen]
  graph.outputs = layer ? [scores, layer] : [scores]
  graph.outputNames = layer ? ['scores', 'maps'] : ['scores']
  graph.outputTypes = graph.outputs.map(() => 'float32')
  graph.counts = new Map()
  makeDifferentiable(graph, undefined, [foldBatchNorm, foldScaleShift, foldPad])
  const [ends, maps = input] = graph.outputs
  const classes = countOf(ends)
  const { row, seed } = seeded(graph, ends, chosen, classes)
  const others = method === 'guided' || method === 'deconvnet' ? rectifiedGradients[method] : undefined
  const [gradient] = differentiate(graph, new Map([[ends, seed]]), [maps], others)
  if (!gradient) throw new CairnError(`scores "${scores.name}" do not depend on ${layer ? 'the layer' : 'the input'}`)
  graph.outputs = layer ? [row, maps, gradient] : [row, gradient]
  graph.outputNames = layer ? ['scores', 'maps', 'gradient'] : ['scores', 'gradient']
  graph.outputTypes = graph.outputs.map(() => 'float32')
  return { program: lowerStep(graph, 4), dims, classes, layer: about }
}

function fixed(name: string, size: Value['shape'][number]): number {
  if (typeof size === 'number') return size
  throw new CairnError(`layer "${name}" has an axis of ${show(size)}, which is not known when compiling`)
}

/** All scores in a row, and what the backward pass begins with: 1 at the class, 0 elsewhere. */
function seeded(graph: Graph, scores: Value, chosen: Value, classes: number): { row: Value; seed: Value } {
  const write = new Writer(graph, 'class')
  const row = write.reshape(scores, [1, classes])
  const best = write.add('Cast', [write.add('ArgMax', [row], { axis: 1, keepdims: 1 })], { to: 'float32' })
  const taken = write.add('Where', [write.add('Less', [chosen, write.scalar(0)]), best, chosen])
  const count = Float32Array.from({ length: classes }, (_, i) => i)
  const all = graph.constant(graph.unique('classes'), count, [1, classes])
  const hot = write.add('Mul', [write.add('Equal', [all, taken]), write.scalar(1)])
  return { row, seed: write.reshape(hot, scores.shape) }
}
