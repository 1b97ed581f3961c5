import { type Dim, mul, product } from '../../../algebra/index.js'
import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { blocksOf, type Deformed, deformed, visit } from '../../../ops/index.js'
import { positions } from '../movement/positions.js'
import { filled, type Rewrite, whole, wholes } from '../rewrite.js'

/** Rows of pixels, to which the rows of columns are added where their blocks cover them; a row in the padding is left out. */
export const col2im: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const [n, c, ...image] = node.output.shape
  const blocks = blocksOf(node)
  const places = placesIn(blocks)
  const taps = product(blocks.block)
  const count = places.length / (taps as number)
  const apart = write.reshape(x, [n, c, taps, count])
  const rows = write.reshape(write.add('Transpose', [apart], { perm: [2, 3, 0, 1] }), [places.length, mul(n, c)])
  const none = filled(write, [product(image), mul(n, c)], 0, 'float32')
  const sums = write.add('ScatterRows', [none, wholes(write, places, 'int64'), rows], { reduction: 'add' })
  const moved = write.add('Transpose', [write.reshape(sums, [product(image), n, c])], { perm: [1, 2, 0] })
  return write.reshape(moved, node.output.shape)
}

/** The pixel that each position of each block covers, one behind all where that is padding. */
function placesIn({ image, block, out, strides, dilations, padsBegin }: ReturnType<typeof blocksOf>): number[] {
  const places: number[] = []
  const outside = product(image) as number
  visit(block, tap =>
    visit(out as number[], at => {
      const pixel = image.map((_, i) => at[i] * strides[i] + tap[i] * dilations[i] - (padsBegin[i] as number))
      const inside = pixel.every((place, i) => place >= 0 && place < image[i])
      places.push(inside ? pixel.reduce((place, index, i) => place * image[i] + index, 0) : outside)
    })
  )
  return places
}

/** Each position of the filters samples its own picture, and a convolution in depth goes over these. */
export const deformConv: Rewrite = (write, node) => {
  const [x, w, offset, bias, mask] = node.inputs as [Value, Value, Value, Value?, Value?]
  const geometry = deformed(node)
  const { kernel, out, offsets, groups } = geometry
  const [n, channels] = x.shape
  const taps = kernel[0] * kernel[1]
  const rows = mul(taps, out[0])
  const width = (channels as number) / offsets
  const parts = Array.from({ length: offsets }, (_, i) => {
    const own = offsets === 1 ? x : part(write, x, 1, i * width, width)
    const grid = gridOf(write, geometry, part(write, offset, 1, 2 * taps * i, 2 * taps), n)
    const sampled = write.add('SampleAt', [own, grid])
    if (!mask) return sampled
    const weights = part(write, mask, 1, taps * i, taps)
    return write.add('Mul', [sampled, write.reshape(weights, [n, 1, rows, out[1]])])
  })
  const all = parts.length === 1 ? parts[0] : write.add('Concat', parts, { axis: 1 })
  const stack = write.reshape(all, [n, channels, taps, ...out])
  const filters = write.reshape(w, [w.shape[0], w.shape[1], taps, 1, 1])
  return write.reshape(write.add('Conv', [stack, filters, bias], { group: groups }), node.output.shape)
}

function part(write: Writer, value: Value, axis: number, from: number, size: number): Value {
  if (from === 0 && size === value.shape[axis]) return value
  const [start, end, along] = [from, from + size, axis].map(each => wholes(write, [each], 'int64'))
  return write.add('Slice', [value, start, end, along])
}

/** Where the taps of all windows are, with what is added to each, column in front of row as a grid has it. */
function gridOf(write: Writer, { kernel, out, ...steps }: Deformed, offset: Value, n: Dim): Value {
  const taps = kernel[0] * kernel[1]
  const moves = write.reshape(offset, [n, taps, 2, ...out])
  const axisOf = (axis: number) => {
    const windows = write.add('Mul', [
      positions(write, out[axis], axis + 2, 4),
      whole(write, steps.strides[axis], 'int64')
    ])
    const first = write.add('Sub', [windows, write.size(steps.padsBegin[axis])])
    const own = Array.from({ length: taps }, (_, tap) => {
      const index = axis ? tap % kernel[1] : Math.floor(tap / kernel[1])
      return index * steps.dilations[axis]
    })
    const regular = write.add('Add', [first, write.reshape(wholes(write, own, 'int64'), [1, taps, 1, 1])])
    const move = write.reshape(part(write, moves, 2, axis, 1), [n, taps, ...out])
    return write.reshape(write.add('Add', [move, regular]), [n, mul(taps, out[0]), out[1], 1])
  }
  return write.add('Concat', [axisOf(1), axisOf(0)], { axis: 3 })
}
