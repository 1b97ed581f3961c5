import type { Output } from '../protocol.js'
import { type ClassMap, planesOf, type Recognise } from './output.js'

/** More classes than any published segmentation has are features, not classes. */
const mostClasses = 256

/** Several planes hold a score for each class and pixel, whole numbers the class itself. */
export const classMap: Recognise = (outputs, fed): ClassMap | undefined => {
  const [output] = outputs
  const decided = decidedMap(output)
  if (decided) return decided
  const planes = planesOf(output, fed)
  if (!planes || planes.channels < 2 || planes.channels > mostClasses) return undefined
  const { channels, height, width, at } = planes
  const best = new Uint16Array(height * width)
  for (let i = 0; i < best.length; i++) for (let c = 1; c < channels; c++) if (at(c, i) > at(best[i], i)) best[i] = c
  return { kind: 'map', width, height, classes: channels, best }
}

function decidedMap({ type, dims, data }: Output): ClassMap | undefined {
  const [height, width] = dims.slice(-2)
  const isMap = dims.length > 2 && height > 1 && width > 1 && dims.slice(1, -2).every(size => size === 1)
  if (!/^u?int/.test(type) || !isMap) return undefined
  const best = Uint16Array.from(data.subarray(0, height * width))
  return { kind: 'map', width, height, classes: best.reduce((a, b) => Math.max(a, b), 0) + 1, best }
}
