import { isConstant, type Value } from './graph.js'

/** The values that a value is computed from, itself included, but for constants and sizes. */
export function ancestors(value: Value): Set<Value> {
  const found = new Set<Value>()
  const visit = [value]
  for (let next = visit.pop(); next; next = visit.pop()) {
    if (found.has(next)) continue
    found.add(next)
    for (const input of next.producer?.inputs ?? []) if (input && !isConstant(input) && !input.ints) visit.push(input)
  }
  return found
}
