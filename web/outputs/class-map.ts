import type { Output } from '../engine/protocol.js'
import { namesFor } from '../model/labels.js'
import { type Fed, type Finding, type PlaneView, planesOf, type RecogniseOne } from './output.js'

/** More classes than any published segmentation has are features, not classes. */
const mostClasses = 256
const telling = /seg|mask|logit|prob|softmax|class/i

/**
 * Several planes hold a score for each class and pixel, whole numbers the class itself. Heat maps and features look alike: it takes
 * shares that sum to one at each pixel, labels of that number, the input's own size, or a name.
 */
export const classMap: RecogniseOne = (output, fed) => {
  const decided = decidedMap(output, fed)
  if (decided) return decided
  const planes = planesOf(output, fed)
  if (!planes?.fits || planes.channels < 2 || planes.channels > mostClasses) return undefined
  const { channels, height, width, at } = planes
  const names = namesFor('map', channels, fed)
  const isWhole = height === fed.height && width === fed.width
  const { name } = fed.knowledge
  if (!names && !isWhole && !sumToOne(planes) && !telling.test(`${output.name} ${name}`)) return undefined
  const best = new Uint16Array(height * width)
  for (let i = 0; i < best.length; i++) for (let c = 1; c < channels; c++) if (at(c, i) > at(best[i], i)) best[i] = c
  return { kind: 'map', of: [output.name], width, height, classes: channels, best, ...names }
}

export function sumToOne({ channels, height, width, at }: PlaneView): boolean {
  for (let i = 0; i < height * width; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) {
      if (at(c, i) < -1e-3) return false
      sum += at(c, i)
    }
    if (Math.abs(sum - 1) > 1e-2) return false
  }
  return true
}

function decidedMap({ name, type, dims, data }: Output, fed: Fed): Finding | undefined {
  const [height, width] = dims.slice(-2)
  const proportions = Math.abs((height / width) * (fed.width / fed.height) - 1) < 0.1
  const isMap = dims.length > 2 && height > 1 && width > 1 && dims.slice(1, -2).every(size => size === 1)
  if (!/^u?int/.test(type) || !isMap || !proportions) return undefined
  const best = Uint16Array.from(data.subarray(0, height * width))
  const classes = best.reduce((a, b) => Math.max(a, b), 0) + 1
  return { kind: 'map', of: [name], width, height, classes, best, ...namesFor('map', classes, fed) }
}
