import type { Feed } from '../cli/measure/index.js'
import { Node, Value } from '../compiler/graph/index.js'
import { buildGraph } from '../compiler/index.js'
import { infer, inferNode } from '../compiler/infer/index.js'
import { Interpreter } from '../compiler/lower/index.js'
import { importOnnx } from '../compiler/onnx/index.js'
import { passes, required, scaleShiftOfBatchNorm } from '../compiler/passes/index.js'
import type { Bindings } from '../runtime/file/index.js'

/**
 * The outputs of a model in double precision from its parameters as they are, by name. Nothing is fused or folded into
 * weights, which would round them, and convolutions are direct sums. The factors of BatchNormalizations are no single
 * precision numbers either: they come in as inputs, which the reference reads in double precision.
 */
export function truthOf(
  onnx: Uint8Array,
  feeds: readonly Feed[],
  bindings: Bindings
): ReadonlyMap<string, Float64Array> {
  const graph = importOnnx(onnx)
  infer(graph)
  const factors = new Map<string, Float64Array>()
  for (const norm of graph.nodes.filter(({ op }) => op === 'BatchNormalization')) {
    const { x, scale, shift } = scaleShiftOfBatchNorm(norm)
    const made = [
      ['Mul', scale],
      ['Add', shift]
    ] as const
    const last = made.reduce((value, [op, data]) => {
      const factor = new Value(graph.unique(norm.name), 'float32', [data.length, ...x.shape.slice(2).map(() => 1)])
      graph.inputs.push(factor)
      factors.set(factor.name, data)
      const node = graph.insert(new Node(op, graph.unique(norm.name)), [value, factor], 1, norm)
      inferNode(node)
      return node.output
    }, x)
    graph.bypass(norm, last)
  }
  const without = passes.map(({ name }) => name).filter(name => !required.has(name))
  const { program } = buildGraph(graph, { without, winograd: 0 })
  const inputs = program.inputs.map(({ name }) => {
    const feed = feeds.find(each => each.name === name)
    return factors.get(name) ?? (feed!.data as ArrayLike<number>)
  })
  const outputs = Interpreter.of(program).run(inputs, bindings)
  return new Map(program.outputs.map(({ name }, i) => [name, outputs[i]]))
}
