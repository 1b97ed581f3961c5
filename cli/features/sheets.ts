import type { FeatureLayer, FirstFilters } from '../../explain/index.js'
import type { Picture } from '../../runtime/tensor/index.js'
import { contactSheet, filterTile, tileOf } from '../pictures/index.js'

/** Sides that small tiles are enlarged to, about, in pixels. */
const [mapSide, filterSide, matrixSide] = [64, 42, 256]
const across = 8

/** The maps of a layer side by side, each on its own scale. Of a layer without maps a strip of its units, on one scale. */
export function mapSheet({ units, height, width }: FeatureLayer, data: Float32Array, most: number): Picture {
  const size = height * width
  if (size === 1) return tileOf(data, ...strip(units), { enlarge: 4 })
  const enlarge = Math.max(1, Math.round(mapSide / Math.max(width, height)))
  const tiles = Array.from({ length: Math.min(units, most) }, (_, c) =>
    tileOf(data.subarray(c * size, (c + 1) * size), width, height, { enlarge })
  )
  return contactSheet(tiles, across, 2)
}

/** As near to 8 times as wide as high as the number of units lets it be. */
function strip(units: number): [width: number, height: number] {
  let height = Math.max(1, Math.round(Math.sqrt(units / 8)))
  while (units % height) height--
  return [units / height, height]
}

export function filterSheet({ data, dims }: FirstFilters, most: number): Picture {
  const [count, channels, height, width] = dims
  const size = channels * height * width
  const enlarge = Math.max(1, Math.round(filterSide / Math.max(width, height)))
  const tiles = Array.from({ length: Math.min(count, most) }, (_, f) =>
    filterTile(data.subarray(f * size, (f + 1) * size), channels, height, width, { enlarge })
  )
  return contactSheet(tiles, 16, 2)
}

/** r from -1 over 0 to 1 as blue, white and red, a square of `units` a side. */
export function correlationSheet(matrix: Float32Array, units: number): Picture {
  const enlarge = Math.max(1, Math.round(matrixSide / units))
  const side = units * enlarge
  const data = new Uint8ClampedArray(side * side * 3)
  for (let y = 0, at = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const r = matrix[Math.floor(y / enlarge) * units + Math.floor(x / enlarge)]
      const faded = 255 * (1 - Math.abs(r))
      data[at++] = r > 0 ? 255 - 60 * r : faded
      data[at++] = faded
      data[at++] = r < 0 ? 255 + 60 * r : faded
    }
  return { data, width: side, height: side }
}

/** Part of a picture; it lies inside. */
export function cut(
  { data, width }: Picture,
  part: { left: number; top: number; width: number; height: number }
): Picture {
  const found = new Uint8ClampedArray(part.width * part.height * 3)
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * width + part.left) * 3
    found.set(data.subarray(from, from + part.width * 3), y * part.width * 3)
  }
  return { data: found, width: part.width, height: part.height }
}
