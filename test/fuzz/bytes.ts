// Mutations of bytes, whatever they mean.
import type { Random } from '../support/random.js'

export type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const place = (bytes: Uint8Array, random: Random) => random.int(0, Math.max(bytes.length - 1, 0))

export const byteMutations: Readonly<Record<string, ByteMutation>> = {
  truncate: (bytes, random) => bytes.slice(0, place(bytes, random)),
  flip(bytes, random) {
    const flipped = bytes.slice()
    for (let times = random.pick([1, 1, 1, 2, 5, 20]); times > 0; times--)
      flipped[place(bytes, random)] ^= 1 << random.int(0, 7)
    return flipped
  },
  overwrite(bytes, random) {
    const spoilt = bytes.slice()
    const value = random.pick([0, 0xff, 0x7f, 0x80, random.int(0, 255)])
    const at = place(bytes, random)
    spoilt.fill(value, at, at + random.pick([1, 2, 4, 8, 30]))
    return spoilt
  },
  insert(bytes, random) {
    const at = place(bytes, random)
    const more = Uint8Array.from({ length: random.pick([1, 2, 4, 16, 300]) }, () => random.int(0, 255))
    return joined(bytes.subarray(0, at), more, bytes.subarray(at))
  },
  remove(bytes, random) {
    const at = place(bytes, random)
    return joined(bytes.subarray(0, at), bytes.subarray(at + random.pick([1, 2, 4, 16, 100])))
  },
  repeat(bytes, random) {
    const at = place(bytes, random)
    const part = bytes.subarray(at, at + random.int(1, 64))
    return joined(bytes.subarray(0, at), ...new Array(random.pick([2, 3, 50])).fill(part), bytes.subarray(at))
  },
  splice(bytes, random) {
    const [from, to] = [place(bytes, random), place(bytes, random)]
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  }
}
