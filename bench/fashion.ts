import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fail } from './fail.js'

/** The classes of Fashion-MNIST, in the order of their labels. */
export const fashionClasses = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot'
] as const

export interface Pictures {
  readonly labels: readonly number[]
  /** 28 × 28 numbers from 0 to 255 a picture. */
  readonly pixels: readonly Uint8Array[]
}

/** The first `count` pictures of Fashion-MNIST's training set, or of its test set (`t10k`), from IDX files in a folder. */
export function fashion(folder: string, set: 'train' | 't10k', count: number): Pictures {
  const pixels = idx(join(folder, `${set}-images-idx3-ubyte.gz`), 3)
  const labels = idx(join(folder, `${set}-labels-idx1-ubyte.gz`), 1)
  if (pixels.length < count || labels.length < count)
    fail(`${folder}: ${pixels.length} pictures and ${labels.length} labels, ${count} are wanted`)
  return { labels: labels.slice(0, count).map(label => label[0]), pixels: pixels.slice(0, count) }
}

/** An IDX file of bytes: the type, the number of axes, their sizes in big-endian, the elements. */
function idx(file: string, axes: number): Uint8Array[] {
  if (!existsSync(file)) fail(`no ${file}; Debian's package dataset-fashion-mnist has it, or give the folder`)
  const bytes = gunzipSync(readFileSync(file))
  if (bytes.readUInt32BE(0) !== 0x0800 + axes) fail(`${file} is no IDX file of bytes with ${axes} axes`)
  const sizes = Array.from({ length: axes }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const size = sizes.slice(1).reduce((a, b) => a * b, 1)
  return Array.from({ length: sizes[0] }, (_, i) => bytes.subarray(4 + 4 * axes + i * size).subarray(0, size))
}
