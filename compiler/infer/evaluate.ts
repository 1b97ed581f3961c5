import { workOf } from '../../runtime/check/index.js'
import { type Elements, type Folding, Graph, isConstant, Node, type Value } from '../graph/index.js'
import { Interpreter, laidConstant, layNode, liesIn, lower } from '../lower/index.js'
import { ops } from '../ops/index.js'

/**
 * The outputs of one node for given contents of its inputs, by lowering it alone and interpreting that. `contents`
 * holds elements for the inputs that the kernel reads; others, such as axes, are taken as the node knows them. Undefined
 * where that takes more steps than `folding` has left.
 */
export function evaluateNode(
  node: Node,
  contents: readonly (Elements | undefined)[],
  folding: Folding
): Elements[] | undefined {
  const graph = new Graph(node.name)
  const inputs = node.inputs.map((input, i) => {
    if (!input) return undefined
    const copy = graph.constant(
      `${input.name} ${i}`,
      contents[i] ?? input.data ?? new Float64Array(0),
      input.shape as number[],
      input.dtype
    )
    copy.ints = contents[i] ? undefined : input.ints
    return copy
  })
  const add = (operands: readonly (Value | undefined)[]): Node => {
    const made = graph.insert(new Node(node.op, node.name, node.attributes), operands, node.outputs.length)
    ops[node.op].infer(made)
    layNode(made, (reader, index, order) => {
      const value = reader.inputs[index]
      if (!isConstant(value) || liesIn(value, order)) return
      folding.work -= value.data.length
      graph.setInput(reader, index, laidConstant(graph, value, order))
    })
    return made
  }
  graph.outputs = ops[node.op].chains
    ? [(inputs as Value[]).reduce((a, b) => add([a, b]).output)]
    : [...add(inputs).outputs]
  graph.outputTypes = graph.outputs.map(output => output.dtype)
  graph.outputNames = graph.outputs.map((_, i) => String(i))
  return interpretInDouble(graph, node.op, inputs, folding)?.map((data, i) => {
    const { dtype } = node.outputs[i]
    return dtype === 'float32' || dtype === 'float16' ? Float32Array.from(data) : data
  })
}

/** Constants of a program are single precision; integers beyond 2^24 need more, so inputs enter as activations. */
function interpretInDouble(
  graph: Graph,
  op: string,
  inputs: readonly (Value | undefined)[],
  folding: Folding
): Float64Array[] | undefined {
  const moved: Value[] = []
  inputs.forEach((input, i) => {
    if (!input?.data?.length || input.ints) return
    if (!(input.data instanceof Float64Array) || !readsAsActivation(op, i)) return
    moved.push(input)
  })
  const contents = moved.map(value => {
    const { data } = value
    value.data = undefined
    graph.inputs.push(value)
    return data!
  })
  const program = lower(graph)
  const work = workOf(program, program.calls, {})
  if (work > folding.work) return undefined
  folding.work -= work
  return Interpreter.of(program).run(contents).slice(0, graph.outputs.length)
}

/** Inputs that configure an operator must stay constants. */
function readsAsActivation(op: string, index: number): boolean {
  const { chains, inPlace } = ops[op]
  return index === 0 || op === 'Concat' || op === 'Where' || chains === true || inPlace?.includes(index) === true
}
