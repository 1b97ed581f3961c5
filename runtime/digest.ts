/** The digest of asm/weights.ts, for headers and for writing files: four lanes of multiply and rotate. */

const prime1 = 2654435761 | 0
const prime2 = 2246822519 | 0

/** `bytes` is taken as little-endian 32-bit words, with zeros behind the end to fill the last one. */
export function digest(bytes: Uint8Array): number {
  const words = wordsOf(bytes)
  let a = prime1
  let b = prime2
  let c = 374761393
  let d = 668265263
  const end = words.length & ~3
  for (let i = 0; i < end; i += 4) {
    a = lane(a, words[i])
    b = lane(b, words[i + 1])
    c = lane(c, words[i + 2])
    d = lane(d, words[i + 3])
  }
  let hash = mix(mix(mix(mix(words.length, a), b), c), d)
  for (let i = end; i < words.length; i++) hash = mix(hash, words[i])
  hash ^= hash >>> 15
  hash = Math.imul(hash, prime2)
  return (hash ^ (hash >>> 13)) >>> 0
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0)
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const copy = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  copy.set(bytes)
  return new Uint32Array(copy.buffer)
}

function lane(lane: number, word: number): number {
  const v = (lane + Math.imul(word, prime2)) | 0
  return Math.imul((v << 13) | (v >>> 19), prime1)
}

function mix(hash: number, word: number): number {
  const v = (hash + Math.imul(word, prime1)) | 0
  return Math.imul((v << 17) | (v >>> 15), prime2)
}
