import { add, type Dim, isFound, max, min, mul, same, sub } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { isConstant, type Node } from '../../graph/index.js'
import { axisOf, fields, intsOf, kernel, numbered, numbersOf, type Op, type View } from '../op.js'
import { visit } from '../visit.js'

const depth = 5

/** The positions in this list are the kernel's `mode`. */
export const padModes = ['constant', 'reflect', 'edge', 'wrap']

/** Where position `at` outside 0 .. size-1 takes its element from; -1 for the constant. */
function source(mode: number, at: number, size: number): number {
  if (at >= 0 && at < size) return at
  if (mode === 0) return -1
  if (mode === 2) return Math.min(Math.max(at, 0), size - 1)
  const period = mode === 3 ? size : Math.max(2 * (size - 1), 1)
  const phase = ((at % period) + period) % period
  return phase < size ? phase : period - phase
}

/** n are input sizes, m output sizes and b elements put before, from the outermost loop to the innermost. */
export const padKernel = kernel({
  name: 'pad',
  fields: {
    mode: 'u32',
    value: 'f32',
    ...fields('n', depth),
    ...fields('m', depth),
    ...fields('b', depth),
    ...fields('x', depth),
    ...fields('y', depth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const sizes = [p.n0, p.n1, p.n2, p.n3, p.n4]
    const before = [p.b0, p.b1, p.b2, p.b3, p.b4]
    visit([p.m0, p.m1, p.m2, p.m3, p.m4], i => {
      const s = sizes.map((size, axis) => source(p.mode, i[axis] - before[axis], size))
      const from = s[0] * p.x0 + s[1] * p.x1 + s[2] * p.x2 + s[3] * p.x3 + s[4] * p.x4
      const to = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4
      y[to] = s.includes(-1) ? p.value : x[from]
    })
  }
})

interface Amounts {
  readonly begin: Dim[]
  readonly end: Dim[]
}

/** What is put before and behind each axis; less than nothing is taken away. */
export function amountsOf(node: Node): Amounts {
  const { rank } = node.inputs[0]!
  const pads = intsOf(node, 1, 'pads')
  if (!pads) throw refuse(node, 'pads are missing')
  const axes = numbersOf(node, 3, 'axes') ?? Array.from({ length: rank }, (_, axis) => axis)
  if (pads.length !== 2 * axes.length) throw refuse(node, `pads has ${pads.length} entries, not ${2 * axes.length}`)
  const begin = new Array<Dim>(rank).fill(0)
  const end = new Array<Dim>(rank).fill(0)
  axes.forEach((axis, i) => {
    begin[axisOf(node, axis, rank)] = pads[i]
    end[axisOf(node, axis, rank)] = pads[i + axes.length]
  })
  return { begin, end }
}

/** Whether what is in front of an axis, or behind it, is known before the run. */
function isKnown(node: Node): boolean {
  const { begin, end } = amountsOf(node)
  return (
    ![...begin, ...end].some(isFound) &&
    !node.inputs[0]!.shape.some((size, axis) => isFound(size) && (begin[axis] !== 0 || end[axis] !== 0))
  )
}

function modeOf(node: Node): number {
  const mode = node.text('mode', 'constant')
  if (padModes.includes(mode)) return padModes.indexOf(mode)
  throw refuse(node, `mode is ${mode}; ${padModes.join(', ')} are allowed`)
}

/** An attribute in the first opset, an input since. */
export function constantOf(node: Node): number {
  const input = node.inputs[2]
  if (!input) return node.number('value', 0)
  if (!isConstant(input)) throw refuse(node, `constant_value "${input.name}" must be a constant`)
  return input.data[0] ?? 0
}

const put = (amount: Dim): Dim => max(amount, 0)
const taken = (amount: Dim): Dim => min(amount, 0)

/** One loop of the kernel, padded at its begin up to the size `m`. */
interface Loop {
  readonly n: Dim
  readonly m: Dim
  readonly b: Dim
  readonly x: Dim
  readonly y: Dim
}

/** Joins neighbours that are one run in memory, of which only the outer may be padded and only with constants. */
function mergeLoops(loops: readonly Loop[], mode: number): Loop[] {
  const merged: Loop[] = []
  for (const loop of loops) {
    const outer = merged.at(-1)
    const unpadded = same(loop.n, loop.m)
    const contiguous = outer && same(outer.x, mul(loop.x, loop.n)) && same(outer.y, mul(loop.y, loop.m))
    if (outer && contiguous && unpadded && (mode === 0 || same(outer.n, outer.m)))
      merged[merged.length - 1] = { ...loop, n: mul(outer.n, loop.n), m: mul(outer.m, loop.m), b: mul(outer.b, loop.n) }
    else if (loop.m !== 1 || loop.n !== 1) merged.push(loop)
  }
  return merged
}

const pad: Op = {
  infer(node) {
    const x = node.inputs[0]!
    const { begin, end } = amountsOf(node)
    const mode = modeOf(node)
    constantOf(node)
    if (begin.some(isFound) || (!isKnown(node) && mode > 0))
      throw refuse(node, 'pads an axis by what only the run knows; behind it and with a constant is allowed')
    node.output.shape = x.shape.map((size, axis) => add(size, begin[axis], end[axis]))
    node.output.dtype = x.dtype
    x.shape.forEach((size, axis) => {
      const cropped = add(size, taken(begin[axis]), taken(end[axis]))
      if (typeof node.output.shape[axis] === 'number' && (node.output.shape[axis] as number) < 0)
        throw refuse(node, `pads take more than axis ${axis} has`)
      if (mode > 0 && cropped === 0) throw refuse(node, `axis ${axis} has nothing to pad from`)
    })
  },
  countedAxis(node, index, axis) {
    const { begin, end } = amountsOf(node)
    return index === 0 && begin[axis] === 0 && end[axis] === 0 ? axis : undefined
  },
  behind: (node, index) => (index === 0 && modeOf(node) === 0 ? constantOf(node) : undefined),
  takes: isKnown,
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const { begin, end } = amountsOf(node)
    const mode = modeOf(node)
    // Negative amounts move the start of the input and shorten it.
    const offset = sub(x.offset, add(...begin.map((amount, axis) => mul(taken(amount), x.strides[axis]))))
    const loops = mergeLoops(
      y.order.map(axis => ({
        n: add(x.shape[axis], taken(begin[axis]), taken(end[axis])),
        m: y.shape[axis],
        b: put(begin[axis]),
        x: x.strides[axis],
        y: y.strides[axis]
      })),
      mode
    )
    if (loops.length > depth) throw refuse(node, `needs ${loops.length} nested loops; ${depth} are allowed`)
    const front = (part: (loop: Loop) => Dim, fill: Dim) => [
      ...new Array<Dim>(depth - loops.length).fill(fill),
      ...loops.map(part)
    ]
    const source: View = { ...x, offset }
    to.call(
      padKernel,
      {
        mode,
        value: constantOf(node),
        ...numbered(
          'n',
          front(loop => loop.n, 1)
        ),
        ...numbered(
          'm',
          front(loop => loop.m, 1)
        ),
        ...numbered(
          'b',
          front(loop => loop.b, 0)
        ),
        ...numbered(
          'x',
          front(loop => loop.x, 0)
        ),
        ...numbered(
          'y',
          front(loop => loop.y, 0)
        )
      },
      { x: source, y }
    )
  }
}

export const padding: Record<string, Op> = { Pad: pad }
