import { showShape } from '../algebra/index.js'
import { type Attribute, type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { orderOf } from '../ops/index.js'

/** Stable text of a graph, one node a line: for --dump, for the passes' snapshots, for error messages. */
export function print(graph: Graph): string {
  const lines = graph.inputs.map(input => `input ${describe(input)}`)
  for (const node of graph.nodes) lines.push(printNode(node))
  graph.outputs.forEach((output, i) => {
    const renamed = graph.outputNames[i] === output.name ? '' : ` as ${graph.outputNames[i]}`
    lines.push(`output ${output.name}${renamed}`)
  })
  return `${lines.join('\n')}\n`
}

export function printNode(node: Node): string {
  const outputs = node.outputs.map(describe).join(', ')
  const inputs = node.inputs.map(input => (input ? printInput(input) : '_')).join(', ')
  const attributes = [...node.attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${printAttribute(value)}`)
    .join(' ')
  return `${outputs} = ${node.op}(${inputs})${attributes && ` ${attributes}`}`
}

function describe(value: Value): string {
  const order = orderOf(value)
  const plain = order.every((axis, i) => axis === i)
  const dtype = value.dtype === 'float32' ? '' : ` ${value.dtype}`
  return `${value.name}${showShape(value.shape)}${dtype}${plain ? '' : ` order=${order.join('')}`}`
}

function printInput(value: Value): string {
  if (isConstant(value)) {
    const small = value.data.length <= 4
    return small ? `{${Array.from(value.data, x => +x.toPrecision(6)).join(' ')}}` : `const${showShape(value.shape)}`
  }
  return value.ints ? `{${showShape(value.ints)}}` : value.name
}

function printAttribute(value: Attribute): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`
  if (typeof value === 'object') return 'inline' in value ? 'graph' : 'tensor'
  return typeof value === 'number' ? String(+value.toPrecision(6)) : String(value)
}
