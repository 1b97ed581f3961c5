// A binary as what it takes of another one, and what is its own: two builds of one source differ in little.
/** Bytes that a match has at least. */
const least = 12
const probe = 8

/** Whole numbers below 2^31 with a sign, 7 bits a byte. */
function varint(value) {
  const bytes = []
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}

/**
 * How compiler/standalone/wasm/delta.ts makes `to` of `from`: pieces of three numbers (bytes of its own in front, where the match lies
 * relative to the last one's end, its length), a piece without a match, and all bytes that are its own.
 */
export function deltaOf(from, to) {
  const places = new Map()
  const keyAt = (bytes, at) => bytes.toString('latin1', at, at + probe)
  for (let at = 0; at + probe <= from.length; at++) {
    const known = places.get(keyAt(from, at))
    if (known) known.push(at)
    else places.set(keyAt(from, at), [at])
  }
  const pieces = []
  const own = []
  let end = 0
  for (let at = 0, begun = 0; at <= to.length; ) {
    let [length, start] = [0, 0]
    for (const place of (places.get(keyAt(to, at)) ?? []).slice(0, 200)) {
      let same = 0
      while (at + same < to.length && to[at + same] === from[place + same]) same++
      if (same > length || (same === length && place === end)) [length, start] = [same, place]
    }
    if (length >= least || at === to.length) {
      pieces.push(own.length - begun, at === to.length ? 0 : start - end, at === to.length ? 0 : length)
      begun = own.length
      end = start + length
      if (at === to.length) break
      at += length
    } else own.push(to[at++])
  }
  return Uint8Array.from([...pieces.flatMap(varint), ...own])
}
