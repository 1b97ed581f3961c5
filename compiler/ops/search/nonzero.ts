import { isStatic, max, min, product, show, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { isConstant, type Node, type Value } from '../../graph/index.js'
import { gatherKernel, mostElements } from '../movement/gather.js'
import { axisOf, describe, fields, kernel, type Lowering, numbered, type Op, type View } from '../op.js'
import { visit } from '../visit.js'

/** Operators that find out in a run how many elements are not 0; there is room for all, and a count beside it. */

const depth = 6

/**
 * Where the elements of a dense tensor of sizes d are not 0, in their order: along each of the last `rank` axes a row of as many
 * positions as there are elements, zeros behind those that are found; and how many these are.
 */
export const nonZeroKernel = kernel({
  name: 'nonZero',
  fields: { rank: 'u32', ...fields('d', depth) },
  buffers: { x: 'read', y: 'write', count: 'write' },
  reference(p, { x, y, count }) {
    const sizes = [p.d0, p.d1, p.d2, p.d3, p.d4, p.d5]
    const room = sizes.reduce((a, b) => a * b, 1)
    let at = 0
    let found = 0
    y.fill(0, 0, p.rank * room)
    visit(sizes, index => {
      if (x[at++] === 0) return
      for (let row = 0; row < p.rank; row++) y[row * room + found] = index[depth - p.rank + row]
      found++
    })
    count[0] = found
  }
})

function emitNonZero(to: Lowering, x: View, y: View, count: View): void {
  const sizes = [...new Array<number>(depth - x.shape.length).fill(1), ...x.shape]
  to.call(nonZeroKernel, { rank: x.shape.length, ...numbered('d', sizes) }, { x, y, count })
}

function check(node: Node, value: Value): void {
  const elements = product(value.shape)
  if (value.rank < 1 || value.rank > depth)
    throw refuse(node, `takes tensors of one to ${depth} axes, not ${describe(value)}`)
  if (typeof elements === 'number' && elements > mostElements)
    throw refuse(node, `${describe(value)} has more than ${mostElements} elements`)
}

const nonZero: Op = {
  gives: 2,
  infer(node) {
    const x = node.inputs[0]!
    const [places, count] = node.outputs
    check(node, x)
    for (const output of node.outputs) output.dtype = 'int64'
    if (isConstant(x) && isStatic(x.shape)) {
      const found: number[][] = []
      let at = 0
      visit(x.shape, index => {
        if (x.data[at++] !== 0) found.push([...index])
      })
      places.shape = [x.rank, found.length]
      places.data = Float64Array.from(x.shape.flatMap((_, axis) => found.map(index => index[axis])))
      if (count) count.data = Float64Array.of(found.length)
      return
    }
    places.shape = [x.rank, product(x.shape)]
    places.counted = { axis: 1, by: count }
  },
  behind: () => 0,
  layout: 'plain',
  writesDense: true,
  lower(node, to) {
    const [places, count] = node.outputs.map(output => to.view(output))
    emitNonZero(to, to.dense(node.inputs[0]!), places, count)
  }
}

/** The axis along which elements are kept; none where the input is taken as one row. */
export const compressedAxis = (node: Node): number | undefined =>
  node.attributes.has('axis') ? axisOf(node, node.number('axis', 0), node.inputs[0]!.rank) : undefined

/** With a constant condition the decompose pass spells it as a Gather. */
const compress: Op = {
  gives: 2,
  required: 2,
  infer(node) {
    const [x, condition] = node.inputs as Value[]
    const [y, count] = node.outputs
    const axis = compressedAxis(node)
    const size = axis === undefined ? product(x.shape) : x.shape[axis]
    const [length] = condition.shape
    check(node, x)
    check(node, condition)
    if (condition.rank !== 1 || (typeof size === 'number' && typeof length === 'number' && length > size))
      throw refuse(
        node,
        `condition ${describe(condition)} must be a list of at most as many as there are of ${showShape(x.shape)}`
      )
    const at = axis ?? 0
    const last = condition.data ? Array.from(condition.data).findLastIndex(Boolean) : -1
    if (!node.expectEqual(max(size, last + 1), size))
      throw refuse(node, `keeps element ${last} of ${show(size)} along axis ${at}`)
    const kept = condition.data ? Array.from(condition.data).filter(Boolean).length : min(length, size)
    y.dtype = x.dtype
    y.shape = axis === undefined ? [kept] : x.shape.map((each, other) => (other === axis ? kept : each))
    count.dtype = 'int64'
    if (!isConstant(condition)) y.counted = { axis: at, by: count }
  },
  layout: 'plain',
  writesDense: true,
  countedAxis: (node, index, axis) => (index === 0 && axis !== (compressedAxis(node) ?? axis) ? axis : undefined),
  behind: (node, index, axis) => (index === 1 ? 0 : axis === compressedAxis(node) ? 'anything' : undefined),
  takes: node => !isConstant(node.inputs[1]),
  lower(node, to) {
    const [x, condition] = node.inputs.map(input => to.dense(input!))
    const [y, count] = node.outputs.map(output => to.view(output))
    const axis = compressedAxis(node)
    const [outer, size, inner] =
      axis === undefined
        ? [1, product(x.shape), 1]
        : [product(x.shape.slice(0, axis)), x.shape[axis], product(x.shape.slice(axis + 1))]
    // What the condition says beyond the end is not heard.
    const heard = { ...condition, shape: [min(condition.shape[0], size)] }
    const places = to.scratch(heard.shape)
    emitNonZero(to, heard, places, count)
    to.call(gatherKernel, { outer, size, inner, count: heard.shape[0] }, { x, indices: places, y })
  }
}

/** Operators with a further output of how many there are; the importer adds it. */
export const counting: ReadonlySet<string> = new Set(['NonMaxSuppression', 'NonZero', 'Compress'])

const unique: Op = {
  infer(node) {
    throw refuse(
      node,
      'gives as many elements as are different, in another order, which only the run knows; NonZero, Compress and TopK are allowed'
    )
  }
}

export const findings: Record<string, Op> = { NonZero: nonZero, Compress: compress, Unique: unique }
