import { Bytes } from './wasm/sections.js'

/** What asm/standalone/unpack.ts undoes: tables of which each row is much like another. */

/** So many rows back at most are those that a row is told by: of layers that come in blocks, the one in the block before. */
const farthest = 8

/** Words in rows of `stride`, each by how far it is from the one `back` words before, whichever makes the fewest bytes. */
export function folded(words: ArrayLike<number>, stride: number): { bytes: Uint8Array; back: number } {
  const rows = words.length / stride
  const ways = Array.from({ length: Math.max(1, Math.min(farthest, rows - 1)) }, (_, i) => {
    const back = stride * (i + 1)
    const bytes = differences(words, back)
    return { bytes, back, size: squeezed(bytes).length }
  })
  return ways.reduce((best, way) => (way.size < best.size ? way : best))
}

function differences(words: ArrayLike<number>, back: number): Uint8Array {
  const bytes = new Bytes()
  for (let i = 0; i < words.length; i++) {
    const difference = (words[i] - (i < back ? 0 : words[i - back])) | 0
    bytes.number(((difference << 1) ^ (difference >> 31)) >>> 0)
  }
  return bytes.finish()
}

/** Fewer bytes are not worth their length and how far back they are. */
const shortest = 4
/** So many places with the same beginning are looked at. */
const places = 64

/** The bytes without what repeats earlier ones (LZ77: Ziv and Lempel 1977), the longest of which is taken at each place. */
export function squeezed(bytes: Uint8Array): Uint8Array {
  const out = new Bytes()
  const known = new Map<number, number[]>()
  let literal = 0
  const keyOf = (at: number) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
  const note = (at: number) => {
    const key = keyOf(at)
    if (!known.has(key)) known.set(key, [])
    known.get(key)!.push(at)
  }
  for (let at = 0; at < bytes.length; ) {
    let [length, from] = [0, 0]
    for (const earlier of (known.get(keyOf(at)) ?? []).slice(-places)) {
      let same = shortest
      while (at + same < bytes.length && bytes[earlier + same] === bytes[at + same]) same++
      if (same >= length && at + same <= bytes.length) [length, from] = [same, earlier]
    }
    if (!length) {
      note(at++)
      continue
    }
    out
      .counted(bytes.subarray(literal, at))
      .number(length)
      .number(at - from)
    for (const end = at + length; at < end; ) note(at++)
    literal = at
  }
  return out.counted(bytes.subarray(literal)).number(0).finish()
}
