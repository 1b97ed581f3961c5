import { add, type Dim, div, max, mul, negative, real, sub } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { largestFolded, type Node } from '../../graph/index.js'
import { kindOf } from '../elementwise/activation.js'
import { unaryKernel } from '../elementwise/elementwise.js'
import { intsOf, type Lowering, numbered, type Op, type View } from '../op.js'
import { cumsumKernel } from '../reduce/cumsum.js'

/**
 * Range: `count` numbers from a start on, so far apart. Where the sizes of a model decide how many they are, a run makes them:
 * ones, their running sums, and of these the numbers.
 */
interface Counting {
  readonly start: Dim
  readonly delta: Dim
  readonly count: Dim
}

/** As onnxruntime counts: floats are subtracted and divided in double. */
function countingOf(node: Node): Counting {
  const [start, limit, delta] = ['start', 'limit', 'delta'].map((name, i) => intsOf(node, i, name)![0])
  if (delta === 0) throw refuse(node, 'delta is 0')
  if (!node.inputs[0]!.dtype.startsWith('float'))
    return { start, delta, count: max(negative(div(sub(start, limit), delta)), 0) }
  const length = real.rounded(real.difference(limit, start), 'float64', (a, b) => void node.expectEqual(a, b))
  return { start, delta, count: real.higher(real.ceil(real.ratio(length, delta)), 0) }
}

const range: Op = {
  required: 3,
  infer(node) {
    const { output } = node
    const { start, delta, count } = countingOf(node)
    output.dtype = node.inputs[0]!.dtype
    output.shape = [count]
    if (typeof count !== 'number') return
    if (!(count <= largestFolded)) throw refuse(node, `has ${count} elements; ${largestFolded} are allowed`)
    const isFloat = output.dtype.startsWith('float')
    if (typeof start !== 'number' || typeof delta !== 'number') {
      if (!isFloat && count <= mostKnown)
        output.ints = Array.from({ length: count }, (_, i) => add(start, mul(i, delta)))
      return
    }
    const data = Float64Array.from({ length: count }, (_, i) => start + i * delta)
    output.data = isFloat ? Float32Array.from(data) : data
  },
  lower(node, to) {
    const { start, delta, count } = countingOf(node)
    const zero: View = { ...to.constant('#zero', () => new Float32Array(1)), strides: [0] }
    const [ones, positions] = [to.scratch([count]), to.scratch([count])]
    spread(to, zero, ones, count, 1, 1)
    to.call(
      cumsumKernel,
      {
        exclusive: 1,
        reverse: 0,
        count,
        xStep: 1,
        yStep: 1,
        ...numbered('k', [1, 1, 1, 1]),
        ...numbered('x', [0, 0, 0, 0]),
        ...numbered('y', [0, 0, 0, 0])
      },
      { x: ones, y: positions }
    )
    spread(to, positions, to.view(node.output), count, delta, start)
  }
}

/** Longer lists are data, not sizes. */
const mostKnown = 64

/** y = alpha x + beta along a line. */
function spread(to: Lowering, x: View, y: View, count: Dim, alpha: Dim, beta: Dim): void {
  to.call(
    unaryKernel,
    {
      ...numbered('d', [1, 1, 1, 1, 1, count]),
      ...numbered('x', [0, 0, 0, 0, 0, x.strides[0]]),
      ...numbered('y', [0, 0, 0, 0, 0, y.strides[0]]),
      act: kindOf('affine'),
      alpha,
      beta
    },
    { x, y }
  )
}

export const ranges: Record<string, Op> = { Range: range }
