/** The digest of asm/weights.ts, for headers and for writing files: sixteen lanes of add, rotate, multiply by five. */

const prime1 = 2654435761 | 0
const prime2 = 2246822519 | 0
const lanes = 16

/** `bytes` is taken as little-endian 32-bit words, with zeros behind the end to fill the last one. */
export function digest(bytes: Uint8Array): number {
  const words = wordsOf(bytes)
  const whole = words.length - (words.length % lanes)
  let hash = words.length
  for (let lane = 0; lane < lanes; lane++) {
    let state = lane
    for (let i = lane; i < whole; i += lanes) {
      const sum = (state + words[i]) | 0
      const turned = (sum << 13) | (sum >>> 19)
      state = (turned + (turned << 2) + 0x38495ab5) | 0
    }
    hash = mix(hash, state)
  }
  for (let i = whole; i < words.length; i++) hash = mix(hash, words[i])
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

function mix(hash: number, word: number): number {
  const v = (hash + Math.imul(word, prime1)) | 0
  return Math.imul((v << 17) | (v >>> 15), prime2)
}
