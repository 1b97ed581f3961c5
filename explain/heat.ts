import { CairnError } from '../runtime/base/index.js'
import { channelsOf, type Picture } from '../runtime/tensor/index.js'
import type { HeatMap, Placement } from './maps.js'

/** A part of a picture, in its pixels; it may reach beyond it. */
export interface SeenRegion {
  /** Column of its first pixel. */
  readonly left: number
  /** Row of its first pixel. */
  readonly top: number
  /** Columns. */
  readonly width: number
  /** Rows. */
  readonly height: number
}

/** A place on a picture, in pixels from its corner at the top left. */
export interface Peak {
  /** To the right. */
  readonly x: number
  /** Down. */
  readonly y: number
}

/** How a map is laid over a picture. */
export interface OverlayOptions {
  /** Of the colours where the map is largest, 0 to 1; default 0.6. */
  readonly opacity?: number
  /** The part of the picture that the model has seen; by default all of it. */
  readonly region?: SeenRegion
}

/**
 * The picture under the map's colours, from blue over green to red, as RGB. The largest element, or the one that a hundredth of them
 * exceed where a map has thousands, is red; what the model has not seen is darker.
 */
export function overlay(picture: Picture, map: HeatMap, options: OverlayOptions = {}): Picture {
  const { opacity = 0.6, region = { left: 0, top: 0, width: picture.width, height: picture.height } } = options
  if (!(opacity >= 0 && opacity <= 1)) throw new CairnError(`opacity ${opacity}; from 0 to 1 is allowed`)
  const channels = channelsOf(picture)
  const heatAt = heating(map, region.width, region.height)
  const data = new Uint8ClampedArray(picture.width * picture.height * 3)
  for (let y = 0, to = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++, to += 3) {
      const from = (y * picture.width + x) * channels
      const heat = heatAt(x - region.left, y - region.top)
      const colour = colourOf(heat ?? 0)
      const weight = heat === undefined ? 0 : opacity * colour[3]
      const light = heat === undefined ? 0.4 : 1
      for (let c = 0; c < 3; c++) data[to + c] = picture.data[from + c] * light * (1 - weight) + colour[c] * weight
    }
  return { data, width: picture.width, height: picture.height }
}

/** The map's colours alone, RGBA, for a canvas to lay over what the model has seen: transparent where there is next to nothing. */
export function paint(map: HeatMap, width: number, height: number): Picture {
  const heatAt = heating(map, width, height)
  const data = new Uint8ClampedArray(width * height * 4)
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 4) {
      const [red, green, blue, weight] = colourOf(heatAt(x, y)!)
      data.set([red, green, blue, weight * 255], to)
    }
  return { data, width, height }
}

/** From 0 to 1 at a pixel of what the model has seen, between the four elements around it; undefined outside. */
function heating(map: HeatMap, width: number, height: number): (x: number, y: number) => number | undefined {
  const largest = largestShown(map)
  const { left, top, across, down } = placed(map)
  const at = (row: number, column: number) => map.data[row * map.width + column]
  return (x, y) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return undefined
    if (!(largest > 0)) return 0
    const h = between(((x + 0.5) / width - left) / across, map.width)
    const v = between(((y + 0.5) / height - top) / down, map.height)
    const upper = at(v.first, h.first) * (1 - h.share) + at(v.first, h.second) * h.share
    const lower = at(v.second, h.first) * (1 - h.share) + at(v.second, h.second) * h.share
    return Math.min((upper * (1 - v.share) + lower * v.share) / largest, 1)
  }
}

function placed({ width, height, placement }: HeatMap): Placement {
  return placement ?? { left: 0.5 / width, top: 0.5 / height, across: 1 / width, down: 1 / height }
}

function between(at: number, elements: number): { first: number; second: number; share: number } {
  const clamped = Math.min(Math.max(at, 0), elements - 1)
  const first = Math.floor(clamped)
  return { first, second: Math.min(first + 1, elements - 1), share: clamped - first }
}

/** Maps of pixels have a few far above all others, by which nothing would be seen of the rest. */
function largestShown({ data }: HeatMap): number {
  if (data.length < 2500) return data.reduce((a, b) => Math.max(a, b), 0)
  const sorted = Float32Array.from(data).sort()
  return sorted[Math.floor(sorted.length * 0.99)] || sorted[sorted.length - 1]
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

/** Of 0 to 1, up to the strongest red: the last knot is as dark as the first. With how much of it there is, from 0 to 1. */
function colourOf(heat: number): readonly [red: number, green: number, blue: number, weight: number] {
  const at = heat * (knots.length - 2)
  const first = Math.min(Math.floor(at), knots.length - 3)
  const [low, high, share] = [knots[first], knots[first + 1], at - first]
  const mixed = (c: number) => low[c] + (high[c] - low[c]) * share
  return [mixed(0), mixed(1), mixed(2), Math.min(1, heat * 2.5)]
}

/** The pixel of an input of `width` × `height` where the map is largest. */
export function peakOf(map: HeatMap, width: number, height: number): Peak {
  const best = map.data.reduce((top, value, i) => (value > map.data[top] ? i : top), 0)
  const { left, top, across, down } = placed(map)
  const share = (value: number) => Math.min(Math.max(value, 0), 1)
  return {
    x: share(left + (best % map.width) * across) * width,
    y: share(top + Math.floor(best / map.width) * down) * height
  }
}
