import { add, type Dim, div, least, max, min, mul, show, sub } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node } from '../graph/index.js'

/** Where the windows of a convolution or pooling lie, one entry per spatial axis. */
export interface Windows {
  /** Number of windows. */
  readonly out: Dim[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Window `o` begins at `o * stride - padsBegin`; symbolic where auto_pad meets a symbolic size. */
  readonly padsBegin: Dim[]
  readonly padsEnd: Dim[]
}

/** A list attribute with one entry for each of `length`. */
function listOf(node: Node, name: string, length: number, fallback: number, lowest: number): number[] {
  const given = node.list(name)
  if (!given?.length) return new Array(length).fill(fallback)
  if (given.length !== length) throw refuse(node, `${name} has ${given.length} entries, not ${length}`)
  const wrong = given.find(entry => entry < lowest)
  if (wrong !== undefined) throw refuse(node, `${name} has an entry ${wrong}; at least ${lowest} is allowed`)
  return [...given]
}

/**
 * The arithmetic of ONNX's Conv and pooling attributes (operators Conv and MaxPool of the ONNX specification). With
 * ceil_mode a last window may hang over the end, but must begin inside the input or the padding before it.
 */
export function windows(node: Node, spatial: readonly Dim[], kernel: readonly number[]): Windows {
  const rank = spatial.length
  if (kernel.length !== rank) throw refuse(node, `a kernel of ${kernel.length} axes on ${rank} spatial axes`)
  const strides = listOf(node, 'strides', rank, 1, 1)
  const dilations = listOf(node, 'dilations', rank, 1, 1)
  const mode = node.text('auto_pad', 'NOTSET')
  const pads = listOf(node, 'pads', 2 * rank, 0, 0)
  const out: Dim[] = []
  const padsBegin: Dim[] = []
  const padsEnd: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    const size = spatial[axis]
    const stride = strides[axis]
    const extent = (kernel[axis] - 1) * dilations[axis] + 1
    let begin: Dim = 0
    let end: Dim = 0
    let count: Dim
    if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
      count = div(add(size, stride - 1), stride)
      const total = max(add(mul(sub(count, 1), stride), extent, mul(size, -1)), 0)
      const half = div(total, 2)
      begin = mode === 'SAME_UPPER' ? half : sub(total, half)
      end = sub(total, begin)
    } else if (mode === 'VALID' || mode === 'NOTSET' || mode === '') {
      if (mode !== 'VALID') [begin, end] = [pads[axis], pads[axis + rank]]
      const room = add(size, begin, end, -extent)
      count = add(div(room, stride), 1)
      // Of an empty input windows leave nothing as well; of others each has to fit.
      if (typeof room !== 'number' && least(room) < -1) node.expectEqual(min(room, 0), 0)
      if (node.number('ceil_mode', 0))
        count = min(add(div(add(room, stride - 1), stride), 1), add(div(add(size, begin, -1), stride), 1))
    } else {
      throw refuse(node, `auto_pad is ${mode}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are allowed`)
    }
    if (typeof count === 'number' && count < 1 && size !== 0)
      throw refuse(node, `a window of ${extent} does not fit the padded size ${show(add(size, begin, end))}`)
    out.push(size === 0 ? 0 : count)
    padsBegin.push(begin)
    padsEnd.push(end)
  }
  return { out, strides, dilations, padsBegin, padsEnd }
}

/** The arithmetic of ConvTranspose (ONNX operator text): out = (in-1)*stride + output_padding + extent - pads. */
export function transposedWindows(node: Node, input: readonly Dim[], kernel: readonly number[]): Windows {
  const rank = kernel.length
  const strides = listOf(node, 'strides', rank, 1, 1)
  const dilations = listOf(node, 'dilations', rank, 1, 1)
  const extra = listOf(node, 'output_padding', rank, 0, 0)
  const wanted = node.list('output_shape')?.slice(-rank)
  if (wanted && wanted.length < rank) throw refuse(node, `output_shape has ${wanted.length} entries, not ${rank}`)
  const auto = node.text('auto_pad', 'NOTSET')
  const given = listOf(node, 'pads', 2 * rank, 0, Number.NEGATIVE_INFINITY)
  const full = input.map((size, i) => add(mul(sub(size, 1), strides[i]), extra[i] + (kernel[i] - 1) * dilations[i] + 1))
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
  const padsBegin: Dim[] = []
  const padsEnd: Dim[] = []
  const out = full.map((size, i) => {
    if (!wanted && !same) {
      padsBegin.push(auto === 'VALID' ? 0 : given[i])
      padsEnd.push(auto === 'VALID' ? 0 : given[i + rank])
      return sub(size, add(padsBegin[i], padsEnd[i]))
    }
    const target: Dim = wanted ? wanted[i] : mul(input[i], strides[i])
    const total = sub(size, target)
    if (typeof total !== 'number') throw refuse(node, 'output_shape needs fixed spatial sizes')
    if (total < 0) {
      // What an output_shape asks for beyond the taps is bias alone, as with output_padding.
      padsBegin.push(0)
      padsEnd.push(0)
      return wanted ? target : size
    }
    const small = Math.floor(total / 2)
    padsBegin.push(auto === 'SAME_UPPER' ? small : total - small)
    padsEnd.push(total - (padsBegin[i] as number))
    return target
  })
  return { out, strides, dilations, padsBegin, padsEnd }
}
