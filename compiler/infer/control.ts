import { refuse } from '../errors.js'
import { type Branch, type Graph, Node, type Value } from '../graph/index.js'
import { branchesByFinds, branchIn, knownNumber, scanned, takenBranch, tripsOf } from '../ops/index.js'
import { fusions } from './fused.js'

/**
 * What If, Loop and Scan run, put in their place as far as constants and shapes decide it. Each does so for a node all of whose
 * inputs are inferred and says whether there is something to infer in front of it or in its place; where not, the operator's own
 * inference refuses it.
 */
type Control = (graph: Graph, node: Node) => boolean

const conditional: Control = (graph, node) => {
  const branch = takenBranch(node, graph.folding)
  if (!branch) return ifAnything(graph, node)
  const results = branch.inline(node)
  if (results.length !== node.outputs.length)
    throw refuse(node, `has ${node.outputs.length} outputs, the branch that it takes ${results.length}`)
  node.outputs.forEach((output, i) => give(graph, node, output, results[i]))
  graph.remove(node)
  return true
}

/**
 * A branch for when a run finds nothing, which is empty itself, beside one for when it does, as torch guards what it does to
 * boxes: the latter, cut to nothing where nothing is found. The first is put in front of the node, to be inferred.
 */
const ifAnything: Control = (graph, node) => {
  const branches = branchesByFinds(node)
  if (!branches) return false
  if (node.inputs.length === 1) {
    for (const value of branches.without.inline(node)) graph.addInput(node, value)
    return true
  }
  const [condition, ...without] = node.inputs as Value[]
  const axes = without.map(({ shape }) => shape.indexOf(0))
  if (axes.includes(-1)) return false
  const add = (op: string, inputs: readonly Value[], attributes: [string, string][] = []) =>
    graph.insert(new Node(op, graph.unique(node.name), new Map(attributes)), inputs, 1, node).output
  const list = (...values: number[]) =>
    graph.constant(graph.unique(node.name), Float64Array.from(values), [values.length], 'int64')
  const finds = add('Reshape', [add('Cast', [condition], [['to', 'int64']]), list(1)])
  const most = add('Mul', [branches.sense ? finds : add('Sub', [list(1), finds]), list(2 ** 31)])
  branches.with.inline(node).forEach((value, i) => {
    const slice = new Node('Slice', graph.unique(node.name))
    graph.insert(slice, [value, list(0), most, list(axes[i])], [node.outputs[i]], node)
  })
  graph.remove(node)
  return true
}

/**
 * One trip: the body in front of the node, which then reads what the trip has made, and behind its carried values what each
 * trip gives to be stacked. So the condition that a trip makes is inferred before it is asked.
 */
const loop: Control = (graph, node) => {
  const trips = tripsOf(node)
  const goesOn = node.inputs[1] ? knownNumber(node.inputs[1]) : 1
  if (trips === undefined || goesOn === undefined) return false
  const made = node.number('trips made', 0)
  const carried = node.number('carried', Math.max(node.inputs.length - 2, 0))
  if (made >= trips || !goesOn) {
    const [values, stacked] = [node.inputs.slice(2, 2 + carried), node.inputs.slice(2 + carried)] as Value[][]
    const width = made ? stacked.length / made : 0
    node.outputs.forEach((output, i) => {
      if (i < carried) give(graph, node, output, values[i])
      else
        stack(
          graph,
          node,
          output,
          stacked.filter((_, k) => k % width === i - carried)
        )
    })
    graph.remove(node)
    return true
  }
  const inputs = [number(graph, node, made, 'int64'), number(graph, node, 1, 'bool')]
  const results = trip(graph, node, [...inputs, ...(node.inputs.slice(2, 2 + carried) as Value[])])
  if (results.length < Math.max(1 + carried, 1 + node.outputs.length))
    throw refuse(
      node,
      `has ${carried} carried values and ${node.outputs.length} outputs; its body gives ${results.length}`
    )
  results.slice(0, 1 + carried).forEach((value, i) => graph.setInput(node, 1 + i, value))
  for (const value of results.slice(1 + carried)) graph.addInput(node, value)
  node.attributes.set('trips made', made + 1).set('carried', carried)
  return true
}

/** All trips at once, as their number is a size. */
const scan: Control = (graph, node) => {
  const form = scanned(node)
  if (!form) return false
  const { trips, axes, backwards, outputAxes, outputBackwards } = form
  let states = node.inputs.slice(0, node.inputs.length - axes.length) as Value[]
  const parts = axes.map((axis, i) => {
    const split = new Node('Split', graph.unique(node.name), new Map([['axis', axis]]))
    const whole = node.inputs[states.length + i]!
    const { outputs } = graph.insert(split, [whole], trips, node)
    const squeezed = outputs.map(part => {
      const squeeze = new Node('Squeeze', graph.unique(node.name), new Map([['axes', [axis]]]))
      return graph.insert(squeeze, [part], 1, node).output
    })
    return backwards[i] ? squeezed.reverse() : squeezed
  })
  const stacked: Value[][] = []
  for (let at = 0; at < trips; at++) {
    const results = trip(graph, node, [...states, ...parts.map(part => part[at])])
    if (results.length < Math.max(states.length, node.outputs.length))
      throw refuse(
        node,
        `has ${states.length} states and ${node.outputs.length} outputs; its body gives ${results.length}`
      )
    states = results.slice(0, states.length)
    stacked.push(results.slice(states.length))
  }
  node.outputs.forEach((output, i) => {
    if (i < states.length) return give(graph, node, output, states[i])
    const k = i - states.length
    const values = stacked.map(results => results[k])
    stack(graph, node, output, outputBackwards[k] ? values.reverse() : values, outputAxes[k] ?? 0)
  })
  graph.remove(node)
  return true
}

function trip(graph: Graph, node: Node, inputs: readonly Value[]): Value[] {
  const before = graph.nodes.length
  const results = bodyOf(node).inline(node, inputs)
  graph.unrolling -= 1 + graph.nodes.length - before
  if (graph.unrolling < 0)
    throw refuse(node, 'makes, with the loops before it, more nodes than are allowed when it is unrolled trip by trip')
  return results
}

const bodyOf = (node: Node): Branch => branchIn(node, 'body')

function number(graph: Graph, node: Node, value: number, dtype: 'int64' | 'bool'): Value {
  return graph.constant(graph.unique(node.name), Float64Array.of(value), [], dtype)
}

/** The output stays, as branches that are not read yet know it. */
function give(graph: Graph, node: Node, output: Value, value: Value): void {
  graph.insert(new Node('Identity', graph.unique(node.name)), [value], [output], node)
}

/** What the trips gave, along a new axis. */
function stack(graph: Graph, node: Node, output: Value, values: readonly Value[], axis = 0): void {
  if (!values.length) {
    if (output.users.length || graph.isOutput(output))
      throw refuse(node, `makes no trip, which leaves "${output.name}" without a shape; at least one is allowed`)
    return
  }
  const slices = values.map(value => {
    const slice = new Node('Unsqueeze', graph.unique(node.name), new Map([['axes', [axis]]]))
    return graph.insert(slice, [value], 1, node).output
  })
  graph.insert(new Node('Concat', graph.unique(node.name), new Map([['axis', axis]])), slices, [output], node)
}

export const controls: Readonly<Record<string, Control>> = {
  If: conditional,
  Loop: loop,
  Scan: scan,
  ...fusions(give)
}
