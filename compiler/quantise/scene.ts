import type { Constant, Program } from '../../runtime/file/index.js'

/**
 * Inputs that a network can make something of. Plain noise drives detectors into saturation, where outputs are near
 * zero and any rounding is large against them; so pictures are drawn: a gradient, rectangles, lines of digits, a
 * little noise. And networks expect pictures in one of three usual pictureRanges, of which the right one is found by
 * trying: it is where rounding matters least.
 */
export const pictureRanges = [
  { name: '-1 to 1', scale: 1 / 127.5, shift: -1 },
  { name: '0 to 1', scale: 1 / 255, shift: 0 },
  { name: '0 to 255', scale: 1, shift: 0 }
] as const
export type PictureRange = (typeof pictureRanges)[number]

/** Lit segments of the digits 0 to 9, the top bar in the lowest bit, then clockwise, the middle bar last. */
const digits = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f]

/** A picture of 0 to 255 per channel, planes one behind the other. */
function drawScene(next: () => number, channels: number, height: number, width: number): Float64Array {
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

/** Mulberry32 (Tommy Ettinger): 32 bits of state are plenty for inputs. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What says how an input is drawn. */
interface Drawable {
  readonly dtype: string
  readonly shape: readonly unknown[]
}

const floats = ['float32', 'float16', 'float64']

/** Whether the input is a batch of pictures, [N, 1 or 3, H, W], that a scene can be drawn for. */
export function takesPictures({ dtype, shape }: Drawable): boolean {
  return floats.includes(dtype) && shape.length === 4 && (shape[1] === 1 || shape[1] === 3)
}

/**
 * Elements of an input in C order: scenes in `range` where it takes pictures, else standard normal floats, whole numbers of 0 to 255
 * for bytes, 0 or 1 for bool, 0 to 9 for other integers.
 */
export function drawnInput(
  port: Drawable,
  dims: readonly number[],
  seed: number,
  { scale, shift }: PictureRange = pictureRanges[0]
): Float32Array {
  const next = generator(seed)
  const values = new Float32Array(dims.reduce((a, b) => a * b, 1))
  if (takesPictures(port)) {
    const [batch, channels, height, width] = dims
    const size = channels * height * width
    for (let n = 0; n < batch; n++) values.set(drawScene(next, channels, height, width), n * size)
    return values.map(value => value * scale + shift)
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const whole = (limit: number) => () => Math.floor(next() * limit)
  const { dtype } = port
  return values.map(floats.includes(dtype) ? normal : whole(dtype === 'bool' ? 2 : dtype === 'uint8' ? 256 : 10))
}
