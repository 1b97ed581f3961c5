import type { Constant, Program } from '../../runtime/file/index.js'
import type { Feeds, InferenceSession } from '../../runtime/index.js'
import { toNumbers } from './numbers.js'

/**
 * Inputs that a network can make something of. Plain noise drives detectors into saturation, where outputs are near
 * zero and any rounding is large against them; so pictures are drawn: a gradient, rectangles, lines of digits, a
 * little noise. And networks expect pictures in one of three usual ranges, of which the right one is found by
 * trying: it is where rounding matters least.
 */
export const ranges = [
  { name: '-1 to 1', scale: 1 / 127.5, shift: -1 },
  { name: '0 to 1', scale: 1 / 255, shift: 0 },
  { name: '0 to 255', scale: 1, shift: 0 }
] as const
export type Range = (typeof ranges)[number]

/** Lit segments of the digits 0 to 9, the top bar in the lowest bit, then clockwise, the middle bar last. */
const digits = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f]

/** A picture of 0 to 255 per channel, planes one behind the other. */
export function drawScene(next: () => number, channels: number, height: number, width: number): Float64Array {
  const planes = new Float64Array(channels * height * width)
  const paint = (x: number, y: number, w: number, h: number, colour: readonly number[]) => {
    for (let c = 0; c < channels; c++)
      for (let row = Math.max(y, 0); row < Math.min(y + h, height); row++) {
        const start = (c * height + row) * width
        planes.fill(colour[c], start + Math.max(x, 0), start + Math.max(Math.min(x + w, width), Math.max(x, 0)))
      }
  }
  /** Seven segments, in a box half as wide as high. */
  const drawDigit = (digit: number, x: number, y: number, size: number) => {
    const [thick, wide, half] = [Math.max(1, Math.round(size / 8)), Math.round(size / 2), Math.round(size / 2)]
    const segments: [number, number, number, number][] = [
      [x, y, wide, thick],
      [x + wide - thick, y, thick, half],
      [x + wide - thick, y + half, thick, half],
      [x, y + size - thick, wide, thick],
      [x, y + half, thick, half],
      [x, y, thick, half],
      [x, y + half - thick, wide, thick]
    ]
    segments.forEach((segment, i) => {
      if ((digits[digit] >> i) & 1) paint(...segment, ink)
    })
  }
  const within = (size: number) => Math.floor(next() * size)
  const colour = () => Array.from({ length: channels }, () => 255 * next())
  const [from, to] = [colour(), colour()]
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < height * width; i++)
      planes[c * height * width + i] = from[c] + ((to[c] - from[c]) * (i % width)) / width
  for (let i = 0; i < 6; i++)
    paint(within(width), within(height), 4 + within(width / 2), 4 + within(height / 2), colour())
  const [paper, ink] = [colour().map(() => 245), colour().map(() => 15)]
  for (let line = 0; line < 3; line++) {
    const size = Math.max(8, Math.floor(Math.min(height, width) / 10))
    const [top, left] = [within(height - 2 * size), within(width / 4)]
    paint(left - size, top - size, width, 3 * size, paper)
    for (let x = left; x < width - size; x += Math.ceil(0.8 * size)) drawDigit(within(10), x, top, size)
  }
  return planes.map(value => Math.min(Math.max(value + 12 * (next() - 0.5), 0), 255))
}

/** Rounding of single precision near one, which outputs close to zero must not look better than. */
const rounding = 2 ** -23

/** Outputs that do not react at all are saturated (a softmax of zeros and a one) and compare well whatever is wrong. */
const dead = 1e-9

/**
 * The program with the last bits of its weights changed at random: what it computes differs from the original as two
 * correct ways of rounding do, at every layer.
 */
export function roundedOtherwise(program: Program, next: () => number): Program {
  const disturb = (constant: Constant): Constant =>
    constant.panel
      ? {
          ...constant,
          ...(constant.kept === 'f32' ? { stored: 'f32' } : {}),
          data: constant.data.map(value => value * (1 + (next() - 0.5) * 2 ** -20))
        }
      : constant
  return { ...program, constants: program.constants.map(disturb) }
}

/** How much the outputs of two sessions differ, against their size. */
export async function difference(a: InferenceSession, b: InferenceSession, feeds: Feeds): Promise<number> {
  const [left, right] = [await a.run(feeds), await b.run(feeds)]
  return Math.max(...a.outputNames.map(name => relativeChange(toNumbers(left[name]), toNumbers(right[name]))))
}

function relativeChange(a: Float64Array, b: Float64Array): number {
  let change = 0
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    change = Math.max(change, Math.abs(a[i] - b[i]))
    largest = Math.max(largest, Math.abs(a[i]))
  }
  return change > dead * largest ? Math.max(change, rounding) / largest : Number.POSITIVE_INFINITY
}
