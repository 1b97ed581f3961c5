import { CairnError } from '../runtime/base/index.js'
import { channelsOf, type Picture } from '../runtime/tensor/index.js'
import type { HeatMap } from './maps.js'

/** How a map is laid over a picture. */
export interface OverlayOptions {
  /** Of the colours where the map is largest, 0 to 1; default 0.6. */
  readonly opacity?: number
  /** The part of the picture that the model has seen, in pixels; by default all of it. */
  readonly region?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
}

/**
 * The picture in grey light under the map's colours, from blue over green to red, as RGB. The largest element, or the one that a
 * hundredth of them exceed where a map has thousands, is red; what the model has not seen is darker.
 */
export function overlay(picture: Picture, map: HeatMap, options: OverlayOptions = {}): Picture {
  const { opacity = 0.6, region = { left: 0, top: 0, width: picture.width, height: picture.height } } = options
  if (!(opacity >= 0 && opacity <= 1)) throw new CairnError(`opacity ${opacity}; from 0 to 1 is allowed`)
  const channels = channelsOf(picture)
  const largest = largestShown(map)
  const data = new Uint8ClampedArray(picture.width * picture.height * 3)
  const across = linear(map.width, region.width)
  const down = linear(map.height, region.height)
  for (let y = 0, to = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++, to += 3) {
      const from = (y * picture.width + x) * channels
      const [h, v] = [across(x - region.left), down(y - region.top)]
      if (!h || !v) {
        for (let c = 0; c < 3; c++) data[to + c] = picture.data[from + c] * 0.4
        continue
      }
      const at = (row: number, column: number) => map.data[row * map.width + column]
      const upper = at(v.first, h.first) * (1 - h.share) + at(v.first, h.second) * h.share
      const lower = at(v.second, h.first) * (1 - h.share) + at(v.second, h.second) * h.share
      const heat = largest > 0 ? Math.min((upper * (1 - v.share) + lower * v.share) / largest, 1) : 0
      const colour = colourOf(heat)
      // Where there is next to nothing the photo stays as it is.
      const weight = opacity * Math.min(1, heat * 2.5)
      for (let c = 0; c < 3; c++) data[to + c] = picture.data[from + c] * (1 - weight) + colour[c] * weight
    }
  return { data, width: picture.width, height: picture.height }
}

/** Maps of pixels have a few far above all others, by which nothing would be seen of the rest. */
function largestShown({ data }: HeatMap): number {
  if (data.length < 2500) return data.reduce((a, b) => Math.max(a, b), 0)
  const sorted = Float32Array.from(data).sort()
  return sorted[Math.floor(sorted.length * 0.99)] || sorted[sorted.length - 1]
}

interface Between {
  readonly first: number
  readonly second: number
  readonly share: number
}

/** Between which elements a pixel lies, centre to centre; nothing outside of the region. */
function linear(elements: number, pixels: number): (pixel: number) => Between | undefined {
  return pixel => {
    if (pixel < 0 || pixel >= pixels) return undefined
    const at = Math.min(Math.max(((pixel + 0.5) * elements) / pixels - 0.5, 0), elements - 1)
    const first = Math.floor(at)
    return { first, second: Math.min(first + 1, elements - 1), share: at - first }
  }
}

/** Turbo's knots (Mikhailov, "Turbo, an improved rainbow colormap", 2019), joined by lines. */
const knots = [
  [48, 18, 59],
  [70, 107, 227],
  [40, 187, 236],
  [49, 242, 153],
  [163, 253, 61],
  [237, 208, 58],
  [251, 128, 34],
  [210, 49, 5],
  [122, 4, 3]
] as const

/** Of 0 to 1, up to the strongest red: the last knot is as dark as the first. */
function colourOf(heat: number): readonly [number, number, number] {
  const at = heat * (knots.length - 2)
  const first = Math.min(Math.floor(at), knots.length - 3)
  const [low, high, share] = [knots[first], knots[first + 1], at - first]
  const mixed = (c: number) => low[c] + (high[c] - low[c]) * share
  return [mixed(0), mixed(1), mixed(2)]
}

/** The pixel of an input of `width` × `height` where the map is largest. */
export function peakOf(map: HeatMap, width: number, height: number): { readonly x: number; readonly y: number } {
  const best = map.data.reduce((top, value, i) => (value > map.data[top] ? i : top), 0)
  return {
    x: (((best % map.width) + 0.5) * width) / map.width,
    y: ((Math.floor(best / map.width) + 0.5) * height) / map.height
  }
}
