import { inflateSync } from 'node:zlib'
import { PNG } from 'pngjs'
import type { Picture } from '../../runtime/tensor/index.js'

/**
 * PNG by pngjs, which makes room for as many pixels as a file claims and does not look whether they come: so these are counted
 * first (ISO/IEC 15948, "Portable Network Graphics", clauses 8.2 and 11.2.2).
 */

/** Samples a pixel, by the type of colour. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Of each pass of an interlaced picture: where it begins, and how far its pixels are apart, across and down. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2]
] as const

export function decodePng(bytes: Uint8Array, check: (width: number, height: number) => void): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  check(width, height)
  const bits = view.getUint8(24) * (samples[view.getUint8(25)] ?? 0)
  const wanted = view.getUint8(28)
    ? passes.reduce(
        (sum, [x, y, dx, dy]) => sum + lengthOf(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy), bits),
        0
      )
    : lengthOf(width, height, bits)
  const found = inflateSync(Buffer.concat(pixelsOf(bytes, view)), { maxOutputLength: wanted + mostBehind }).length
  if (found < wanted) throw new Error(`it has ${found} of ${wanted} bytes of pixels`)
  return PNG.sync.read(Buffer.from(bytes))
}

/** Bytes that a file may have behind its pixels. */
const mostBehind = 2 ** 16

/** Bytes of rows, each of which has one in front that tells how it is filtered. */
const lengthOf = (width: number, height: number, bits: number) =>
  width > 0 && height > 0 ? height * (1 + Math.ceil((width * bits) / 8)) : 0

/** What the chunks of pixels hold. */
function pixelsOf(bytes: Uint8Array, view: DataView): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at))
    if (view.getUint32(at + 4) === 0x49444154) found.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)))
  return found
}
