import { fromOne } from '../dim.js'
import { refuse } from '../errors.js'
import type { Branch, Folding, Node } from '../graph.js'
import type { Op } from './op.js'

/** The branch that the node takes whenever it runs; undefined where only a run knows. */
export function takenBranch(node: Node, folding: Folding): Branch | undefined {
  const [condition] = node.inputs
  const given = condition?.data?.[0] ?? condition?.ints?.[0]
  const known = given === undefined ? undefined : fromOne(given)
  // What an empty input would turn is taken as others have it, which binding checks.
  if (typeof known === 'number' && given !== undefined && given !== known) folding.assume(given, known, node)
  if (typeof known !== 'number') return undefined
  const name = known ? 'then_branch' : 'else_branch'
  const branch = node.attributes.get(name)
  if (typeof branch === 'object' && 'inline' in branch) return branch
  throw refuse(node, `has no ${name}`)
}

/** Inference puts the branch in the node's place, so that none is left to infer but those that cannot be. */
const conditional: Op = {
  infer(node) {
    const condition = node.inputs[0]!.name
    throw refuse(
      node,
      `condition "${condition}" is known only when it runs; one that constants and given shapes decide is allowed`
    )
  }
}

export const branches: Record<string, Op> = { If: conditional }
