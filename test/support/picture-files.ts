// Picture files for tests: small encoders of what no library here writes, and EXIF put into files.
import { crc32, deflateSync } from 'node:zlib'
import type { Picture } from '../../runtime/tensor/image.js'
import type { Random } from './random.js'

/** A smooth picture with an edge, RGB: no side of it looks like another. */
export function drawPicture(random: Random, width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3)
  const [r, g, b] = [0, 1, 2].map(() => random.uniform(0.5, 1))
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height]
      const bright = x < width / 3 && y < height / 4 ? 1 : 0.6
      data.set([220 * bright * (r * u + (1 - r) * v), 220 * bright * (g * v), 220 * bright * (b * (1 - u))], at)
      at += 3
    }
  return { data, width, height }
}

const bytesOf = (value: number, width: number, little: boolean) => {
  const bytes = Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256)
  return little ? bytes : bytes.reverse()
}
const text = (value: string) => [...Buffer.from(value, 'latin1')]

/** EXIF data with an entry in front of the orientation. */
export function exif(orientation: number, little: boolean): number[] {
  const n = (value: number, width: number) => bytesOf(value, width, little)
  const head = [...text(little ? 'II' : 'MM'), ...n(42, 2), ...n(8, 4)]
  const make = [...n(0x10f, 2), ...n(2, 2), ...n(2, 4), ...text('x\0'), 0, 0]
  const turn = [...n(0x112, 2), ...n(3, 2), ...n(1, 4), ...n(orientation, 2), 0, 0]
  return [...head, ...n(2, 2), ...make, ...turn, ...n(0, 4)]
}

/** As cameras write it: behind a JFIF segment, if there is one. */
export function withExif(jpeg: Uint8Array, orientation: number, little: boolean): Uint8Array {
  const data = [...text('Exif\0\0'), ...exif(orientation, little)]
  return Uint8Array.from([
    ...jpeg.subarray(0, 2),
    0xff,
    0xe1,
    ...bytesOf(data.length + 2, 2, false),
    ...data,
    ...jpeg.subarray(2)
  ])
}

function chunk(name: string, data: readonly number[] | Uint8Array): number[] {
  const body = [...text(name), ...data]
  return [...bytesOf(data.length, 4, false), ...body, ...bytesOf(crc32(Uint8Array.from(body)), 4, false)]
}

/** A PNG's eXIf chunk, in front of its pixels. */
export function withPngExif(png: Uint8Array, orientation: number): Uint8Array {
  return Uint8Array.from([...png.subarray(0, 33), ...chunk('eXIf', exif(orientation, false)), ...png.subarray(33)])
}

/** An extended WebP of a simple one, with EXIF behind the pixels. */
export function withWebpExif(webp: Uint8Array, { width, height }: Picture, orientation: number): Uint8Array {
  const n = (value: number, size: number) => bytesOf(value, size, true)
  const data = exif(orientation, true)
  const extended = [...text('VP8X'), ...n(10, 4), 8, 0, 0, 0, ...n(width - 1, 3), ...n(height - 1, 3)]
  const body = [...text('WEBP'), ...extended, ...webp.subarray(12), ...text('EXIF'), ...n(data.length, 4), ...data]
  return Uint8Array.from([...text('RIFF'), ...n(body.length, 4), ...body])
}

/** PNG of any colour type and depth, from samples in rows; palettes as RGB triples. */
export function pngFile(
  { width, height, samples, depth, type }: Raw & { readonly type: 0 | 2 | 3 | 4 | 6 },
  palette?: readonly number[]
): Uint8Array {
  const channels = [1, 0, 3, 1, 2, 0, 4][type]
  const rows: number[] = []
  for (let y = 0; y < height; y++)
    rows.push(0, ...packed(samples.slice(y * width * channels, (y + 1) * width * channels), depth, false))
  const header = [...bytesOf(width, 4, false), ...bytesOf(height, 4, false), depth, type, 0, 0, 0]
  return Uint8Array.from([
    ...[0x89, ...text('PNG\r\n'), 0x1a, 0x0a],
    ...chunk('IHDR', header),
    ...(palette ? chunk('PLTE', palette) : []),
    ...chunk('IDAT', deflateSync(Uint8Array.from(rows))),
    ...chunk('IEND', [])
  ])
}

interface Raw {
  readonly width: number
  readonly height: number
  readonly samples: readonly number[]
  readonly depth: number
}

function packed(samples: readonly number[], depth: number, little: boolean): number[] {
  if (depth === 16) return samples.flatMap(sample => bytesOf(sample, 2, little))
  const bytes = new Array<number>(Math.ceil((samples.length * depth) / 8)).fill(0)
  samples.forEach((sample, i) => {
    const bit = i * depth
    bytes[bit >> 3] |= sample << (8 - depth - (bit & 7))
  })
  return bytes
}

/** TIFF of one strip. */
export function tiffFile(
  { width, height, samples, depth }: Raw,
  {
    meaning,
    orientation = 1,
    little,
    deflate
  }: { meaning: number; orientation?: number; little: boolean; deflate: boolean },
  palette?: readonly number[]
): Uint8Array {
  const channels = samples.length / width / height
  const rows: number[] = []
  for (let y = 0; y < height; y++)
    rows.push(...packed(samples.slice(y * width * channels, (y + 1) * width * channels), depth, little))
  const strip = deflate ? [...deflateSync(Uint8Array.from(rows))] : rows
  if (strip.length % 2) strip.push(0)
  const n = (value: number, size: number) => bytesOf(value, size, little)
  const behind: number[] = []
  const directory = 8 + strip.length
  const tags: [number, number, number[]][] = [
    [256, 3, [width]],
    [257, 3, [height]],
    [258, 3, new Array(channels).fill(depth)],
    [259, 3, [deflate ? 8 : 1]],
    [262, 3, [meaning]],
    [273, 4, [8]],
    [274, 3, [orientation]],
    [277, 3, [channels]],
    [278, 3, [height]],
    [279, 4, [strip.length]],
    ...(palette ? [[320, 3, [...palette]] as [number, number, number[]]] : [])
  ]
  const size = 2 + tags.length * 12 + 4
  const entries = tags.flatMap(([tag, type, values]) => {
    const data = values.flatMap(value => n(value, type === 3 ? 2 : 4))
    const place = data.length > 4 ? n(directory + size + behind.length, 4) : [...data, 0, 0, 0].slice(0, 4)
    if (data.length > 4) behind.push(...data)
    return [...n(tag, 2), ...n(type, 2), ...n(values.length, 4), ...place]
  })
  return Uint8Array.from([
    ...[...text(little ? 'II' : 'MM'), ...n(42, 2), ...n(directory, 4)],
    ...strip,
    ...[...n(tags.length, 2), ...entries, ...n(0, 4)],
    ...behind
  ])
}

/** BMP of 8 bits with a palette, or of 24 or 32, from its last row up or its first down, with a gap before the pixels. */
export function bmpFile({ data, width, height }: Picture, depth: 8 | 24 | 32, topDown: boolean, gap = 0): Uint8Array {
  const n = (value: number, size: number) => bytesOf(value < 0 ? value + 2 ** 32 : value, size, true)
  // Of 8 bits: the red channel, as grey.
  const palette = depth === 8 ? Array.from({ length: 256 }, (_, i) => [i, i, i, 0]).flat() : []
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Array.from({ length: width }, (_, x) => {
      const [r, g, b] = data.subarray((y * width + x) * 3)
      return depth === 8 ? [r] : depth === 24 ? [b, g, r] : [b, g, r, 255]
    }).flat()
    while (row.length % 4) row.push(0)
    return row
  })
  const pixels = (topDown ? rows : rows.reverse()).flat()
  const offset = 54 + palette.length + gap
  return Uint8Array.from([
    ...[...text('BM'), ...n(offset + pixels.length, 4), ...n(0, 4), ...n(offset, 4)],
    ...[...n(40, 4), ...n(width, 4), ...n(topDown ? -height : height, 4), ...n(1, 2), ...n(depth, 2), ...n(0, 4)],
    ...[...n(pixels.length, 4), ...n(2835, 4), ...n(2835, 4), ...n(0, 4), ...n(0, 4)],
    ...palette,
    ...new Array<number>(gap).fill(0x55),
    ...pixels
  ])
}
