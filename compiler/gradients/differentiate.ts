import { refuse } from '../errors.js'
import type { Graph, Value } from '../graph/index.js'
import { Writer } from '../infer/index.js'
import { gradients } from './rules.js'
import { type Rule, Tape } from './tape.js'

/**
 * Adds the backward pass to a graph (reverse accumulation; Griewank and Walther 2008, section 3.2): for every node from the last
 * to the first, its rule (gradients/) writes with ordinary operators what the gradient of its output means for its inputs.
 */

/**
 * Gradients of `wanted`, from those of the values in `seeds`; undefined for a value that nothing depends on. Throws
 * CompileError for an operator between them that has none. `others` are rules that take the place of an operator's own.
 */
export function differentiate(
  graph: Graph,
  seeds: ReadonlyMap<Value, Value>,
  wanted: readonly Value[],
  others: Readonly<Record<string, Rule>> = {}
): (Value | undefined)[] {
  const needed = new Set<Value>(wanted)
  for (const node of graph.nodes)
    if (node.inputs.some(input => input && needed.has(input))) for (const output of node.outputs) needed.add(output)
  const parts = new Map<Value, Value[]>([...seeds].map(([value, seed]) => [value, [seed]]))
  const totals = new Map<Value, Value>()
  const gradientOf = (value: Value): Value | undefined => {
    const known = totals.get(value)
    const list = parts.get(value)
    if (known || !list) return known
    const write = new Writer(graph, `${value.name}.gradient`)
    const total = list.reduce((a, b) => write.add('Add', [a, b]))
    totals.set(value, total)
    return total
  }
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some(output => needed.has(output) && parts.has(output))) continue
    const rule = others[node.op] ?? gradients[node.op]
    if (!rule) throw refuse(node, 'has no gradient; what lies behind it can be trained and explained alone')
    const tape = new Tape(graph, node.name, value => value !== undefined && needed.has(value))
    const made = rule(node, node.outputs.map(gradientOf), tape)
    node.inputs.forEach((input, i) => {
      const gradient = made[i]
      if (!input || !gradient || !needed.has(input)) return
      if (parts.has(input)) parts.get(input)!.push(gradient)
      else parts.set(input, [gradient])
    })
  }
  return wanted.map(gradientOf)
}
