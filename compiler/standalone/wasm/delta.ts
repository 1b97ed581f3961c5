/** The binary that scripts/delta.mjs has described by what it takes of `from`. */
export function withDelta(from: Uint8Array, delta: Uint8Array): Uint8Array {
  let at = 0
  const next = () => {
    let [value, scale] = [0, 1]
    for (; delta[at] > 127; scale *= 128) value += (delta[at++] & 127) * scale
    value += delta[at++] * scale
    return value % 2 ? -(value + 1) / 2 : value / 2
  }
  const pieces: { readonly own: number; readonly start: number; readonly length: number }[] = []
  let end = 0
  for (let length = 1; length; ) {
    const own = next()
    const start = end + next()
    length = next()
    end = start + length
    pieces.push({ own, start, length })
  }
  const made = new Uint8Array(pieces.reduce((sum, { own, length }) => sum + own + length, 0))
  let to = 0
  for (const { own, start, length } of pieces) {
    made.set(delta.subarray(at, at + own), to)
    made.set(from.subarray(start, start + length), to + own)
    at += own
    to += own + length
  }
  return made
}
