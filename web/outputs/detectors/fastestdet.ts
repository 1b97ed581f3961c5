import { namesFor } from '../../model/labels.js'
import { type Recognise, sigmoid } from '../output.js'
import { around, best, suppress } from './suppress.js'

const stride = 16

/** One map [1, 5 + classes, H/16, W/16] of (object, x, y, width, height, classes…), a box a cell. */
export const fastestdet: Recognise = ([output, ...others], fed) => {
  if (!output || others.length) return undefined
  const [, channels, high, wide] = output.dims
  const isGrid = output.dims.length === 4 && high * stride === fed.height && wide * stride === fed.width
  if (!isGrid || channels !== 85) return undefined
  const { data } = output
  const cells = high * wide
  const boxes = Array.from({ length: cells }, (_, cell) => {
    const at = (channel: number) => data[channel * cells + cell]
    const { index, score } = best(data, 5 * cells + cell, channels - 5, cells)
    const x = ((cell % wide) + Math.tanh(at(1))) / wide
    const y = (Math.floor(cell / wide) + Math.tanh(at(2))) / high
    return around(x, y, sigmoid(at(3)), sigmoid(at(4)), at(0) ** 0.6 * score ** 0.4, index)
  })
  return {
    kind: 'boxes',
    of: [output.name],
    classes: channels - 5,
    boxes: suppress(boxes),
    ...namesFor('boxes', channels - 5, fed)
  }
}
