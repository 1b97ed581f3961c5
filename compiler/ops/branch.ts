import { fromOne, isFound, show } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Branch, Folding, Node, Value } from '../graph/index.js'
import { axisOf, type Op } from './op.js'

/** What constants and shapes decide of If, Loop and Scan; compiler/infer/control.ts puts what they run in their place. */

export function branchIn(node: Node, name: string): Branch {
  const branch = node.attributes.get(name)
  if (typeof branch === 'object' && 'inline' in branch) return branch
  throw refuse(node, `has no ${name}`)
}

/** The one number that a value is known to be. */
export function knownNumber(value: Value | undefined): number | undefined {
  const known = value?.data?.[0] ?? value?.ints?.[0]
  return typeof known === 'number' ? known : undefined
}

/** The branch that the node takes whenever it runs; undefined where only a run knows. */
export function takenBranch(node: Node, folding: Folding): Branch | undefined {
  const [condition] = node.inputs
  const given = condition?.data?.[0] ?? condition?.ints?.[0]
  const known = given === undefined || isFound(given) ? undefined : fromOne(given)
  if (typeof known !== 'number') return undefined
  // What an empty input would turn is taken as others have it, which binding checks.
  if (given !== known) folding.assume(given!, known, node)
  return branchIn(node, known ? 'then_branch' : 'else_branch')
}

/** What an If takes when a run finds something, and without; undefined where its condition is of something else. */
export function branchesByFinds(node: Node): { sense: boolean; with: Branch; without: Branch } | undefined {
  const dim = node.inputs[0]?.ints?.[0]
  const known = dim !== undefined && isFound(dim) ? fromOne(dim) : undefined
  if (typeof known !== 'number') return undefined
  const [yes, no] = ['then_branch', 'else_branch'].map(name => branchIn(node, name))
  return known ? { sense: true, with: yes, without: no } : { sense: false, with: no, without: yes }
}

/** Trips that a Loop makes at most; undefined where only a run knows. */
export function tripsOf(node: Node): number | undefined {
  return node.inputs[0] ? knownNumber(node.inputs[0]) : Number.POSITIVE_INFINITY
}

interface Scanned {
  readonly trips: number
  /** Of each input that is gone through. */
  readonly axes: readonly number[]
  readonly backwards: readonly number[]
  readonly outputAxes: readonly number[]
  readonly outputBackwards: readonly number[]
}

/** How a Scan goes through its last inputs; undefined where their size is free. */
export function scanned(node: Node): Scanned | undefined {
  if (node.number('batched', 0)) throw refuse(node, 'is of opset 8, a batch at once; opset 9 and newer are allowed')
  const count = node.number('num_scan_inputs', 0)
  const inputs = node.inputs.slice(node.inputs.length - count) as Value[]
  if (!(count >= 1 && count <= node.inputs.length && inputs.every(Boolean)))
    throw refuse(node, `has num_scan_inputs ${count} of ${node.inputs.length} inputs; at least 1 is allowed`)
  const axes = inputs.map((input, i) => axisOf(node, node.list('scan_input_axes')?.[i] ?? 0, input.rank))
  const sizes = inputs.map((input, i) => input.shape[axes[i]])
  const [trips] = sizes
  if (!sizes.every(size => node.expectEqual(size, trips)))
    throw refuse(node, `goes through ${sizes.map(show).join(', ')} elements; as many of each input are allowed`)
  if (!sizes.every(size => typeof size === 'number')) return undefined
  if (trips === 0) throw refuse(node, 'goes through nothing; at least one element is allowed')
  const listed = (name: string) => node.list(name) ?? []
  return {
    trips: trips as number,
    axes,
    backwards: listed('scan_input_directions'),
    outputAxes: listed('scan_output_axes'),
    outputBackwards: listed('scan_output_directions')
  }
}

const decided = 'what constants, given shapes (--shape) and settings (--set) decide is allowed'

/** None of these is left to infer but those that cannot be. */
function refusing(why: (node: Node) => string): Op {
  return {
    required: 0,
    infer(node) {
      throw refuse(node, `${why(node)} only when it runs; ${decided}`)
    }
  }
}

/** What compiler/infer/sequences.ts resolves. */
const sequenceOps = [
  ...['SequenceConstruct', 'SequenceEmpty', 'SequenceAt', 'SequenceInsert', 'SequenceErase', 'SequenceLength'],
  ...['SequenceMap', 'ConcatFromSequence', 'SplitToSequence']
]

const nameOf = (value: Value | undefined) => `"${value?.name}"`

export const branches: Record<string, Op> = {
  If: refusing(node => `condition ${nameOf(node.inputs[0])} is known`),
  Loop: refusing(node =>
    tripsOf(node) === undefined
      ? `trip count ${nameOf(node.inputs[0])} is known`
      : `condition ${nameOf(node.inputs[1])} is known`
  ),
  Scan: refusing(() => 'the number of its trips, a free size, is known'),
  ...Object.fromEntries(
    sequenceOps.map(name => [name, refusing(() => 'a position in a sequence, or how long it is, is known')])
  )
}
