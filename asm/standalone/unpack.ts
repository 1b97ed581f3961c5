/**
 * `groups` matrices of `rows` × `columns` elements of `width` bytes, in panels of `panel` columns: as the file has them at
 * `from`, to `to`, where the last panels are padded with zeros. runtime/file/unpack.ts does the same.
 */
export function unpack(from: usize, to: usize, groups: u32, rows: u32, columns: u32, panel: u32, width: u32): void {
  const rest = (columns % panel) * width
  const whole = columns * rows * width - rest * rows
  const wide = panel * width
  for (; groups > 0; groups--) {
    memory.copy(to, from, whole)
    from += whole
    to += whole
    for (let row = rows; row > 0; row--) {
      memory.copy(to, from, rest)
      memory.fill(to + rest, 0, wide - rest)
      from += rest
      to += wide
    }
  }
}

/** `count` times the same word. */
export function fill(to: usize, word: u32, count: u32): void {
  for (const end = to + ((<usize>count) << 2); to < end; to += 4) store<u32>(to, word)
}

/** Where the next number is read. */
let next: usize = 0

/** A number in LEB128. */
function number(): u32 {
  let value: u32 = 0
  let byte: u32 = 128
  for (let shift: u32 = 0; byte & 128; shift += 7) {
    byte = load<u8>(next++)
    value |= (byte & 127) << shift
  }
  return value
}

/**
 * Bytes at `to` of which what has been there before is not repeated: so many bytes as they are, so many from so far back, and so
 * on, until there are none.
 */
export function expand(from: usize, to: usize): void {
  next = from
  for (;;) {
    let count = number()
    memory.copy(to, next, count)
    next += count
    to += count
    count = number()
    if (!count) return
    for (let back = to - number(); count > 0; count--) store<u8>(to++, load<u8>(back++))
  }
}

/** `count` words at `to`, of which each is told by how far it is from the one `back` words before. */
export function unfold(from: usize, to: usize, count: u32, back: u32): void {
  next = from
  for (let i: u32 = 0; i < count; i++, to += 4) {
    const folded = number()
    const difference = (folded >> 1) ^ (0 - (folded & 1))
    store<u32>(to, difference + (i < back ? 0 : load<u32>(to - (back << 2))))
  }
}
