import { evaluate } from '../../runtime/file/index.js'
import { add, type Dim, foundIn, freeNamesOf, greatest, isFound, mul, show, showShape } from '../algebra/index.js'
import { CompileError, refuse } from '../errors.js'
import type { Graph, Node, Value } from '../graph/index.js'
import { ops } from './table.js'

/**
 * Axes of which a run finds how much there is. The shape says so with a dimension of its own (`found` in compiler/algebra/terms.ts), with which sizes
 * are computed as with free ones; memory has room for the most there can be, and what stands behind the count is anything. So only
 * operators that keep the parts apart may take such a value (`Op.countedAxis`), or such for which what stands behind can be made
 * harmless (`Op.behind`). The count itself is a value of the run, and so is what is computed of it (`runSize`).
 */
export function countedAxis(value: Value): number | undefined {
  const at = value.shape.findIndex(isFound)
  return at < 0 ? undefined : at
}

/** Inputs that say sizes; others are read in a run. */
const sizing: Readonly<Record<string, readonly number[]>> = {
  Bounds: [1],
  ConstantOfShape: [0],
  Expand: [1],
  Pad: [1],
  Range: [1],
  Reshape: [1],
  Room: [1],
  Slice: [2],
  Tile: [1],
  TopK: [1]
}

/** The inputs that a run has to compute, because what it finds is in them. */
export const readsCounts = (node: Node): number[] =>
  node.inputs.flatMap((input, i) => (input?.ints?.some(isFound) && !sizing[node.op]?.includes(i) ? [i] : []))

/** Refuses what nobody knows the meaning of. */
export function checkCounted(node: Node): void {
  const twice = node.outputs.find(({ shape }) => shape.filter(isFound).length > 1)
  if (twice) throw refuse(node, `makes ${showShape(twice.shape)}: only the run knows two of its sizes; one is allowed`)
  const known = node.outputs.every(output => output.data || output.ints)
  node.inputs.forEach((input, index) => {
    const axis = input && countedAxis(input)
    if (axis === undefined || known) return
    const { countedAxis: kept, behind } = ops[node.op]
    const to = kept?.(node, index, axis)
    const isKept = to !== undefined && (isFound(node.output.shape[to]) || node.output.shape[to] === 0)
    if (isKept || behind?.(node, index, axis) !== undefined) return
    throw refuse(
      node,
      `cannot take "${input!.name}": only the run knows how many there are along its axis ${axis} (${show(input!.shape[axis])}, at most ${show(capacity(input!.shape[axis]))}); operators that keep these apart are allowed, element by element, Gather and GatherND by such indices, Slice from a fixed start, Split, Squeeze, Unsqueeze, Transpose and Reshape of other axes, and Concat, Gather, NonMaxSuppression, Pad, reductions and TopK along it`
    )
  })
}

/** The most that a dimension may be where a run has its say. */
export function capacity(dim: Dim): Dim {
  const found = foundIn(dim)
  if (typeof dim === 'number' || !found.length) return dim
  const most = exactMost(dim) ?? greatest(dim)
  if (Number.isFinite(most)) return Math.max(most, 0)
  return add(
    ...dim.terms.map(({ factor, atoms }) => {
      const sizes = atoms.map(atom => {
        const own: Dim = { terms: [{ factor: 1, atoms: [atom] }] }
        if (!isFound(own)) return own
        if (atom.op === 'free') return atom.most!
        const bound = greatest(own)
        return Number.isFinite(bound) ? bound : undefined
      })
      if (factor < 0 || sizes.includes(undefined))
        throw new CompileError(`nothing says how large ${show(dim)} may be; --shape with all sizes is allowed`)
      return mul(factor, ...(sizes as Dim[]))
    })
  )
}

/** Numbers that are tried one by one, so that a capacity is no larger than what there may be. */
const mostTried = 2 ** 16
const tried = new Map<string, number>()

function exactMost(dim: Dim): number | undefined {
  const [{ name, most }] = foundIn(dim)
  if (freeNamesOf(dim).size > 1 || typeof most !== 'number' || most > mostTried) return undefined
  const key = `${show(dim)} of ${most}`
  if (!tried.has(key)) {
    let largest = Number.NEGATIVE_INFINITY
    for (let count = 0; count <= most; count++) largest = Math.max(largest, evaluate(dim, { [name]: count }))
    tried.set(key, largest)
  }
  return tried.get(key)
}

/** From here on every size is the most there can be: what memory is planned for. */
export function settle(graph: Graph): void {
  for (const node of graph.nodes)
    if (readsCounts(node).length) throw refuse(node, 'reads a size that only the run knows; this is not supported')
  for (const value of graph.values) {
    value.shape = value.shape.map(capacity)
    value.ints = value.ints?.map(capacity)
  }
}
