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

/**
 * `count` words at `to`: parameter blocks of `stride` words, of which each repeats most of the one before. In front of every
 * eight words a byte says which of them are others; those follow in LEB128.
 */
export function unfold(from: usize, to: usize, count: u32, stride: u32): void {
  let others: u32 = 0
  for (let i: u32 = 0; i < count; i++, to += 4) {
    others = i & 7 ? others >> 1 : <u32>load<u8>(from++)
    let word: u32 = 0
    if (others & 1) {
      for (let shift: u32 = 0; ; shift += 7) {
        const byte = <u32>load<u8>(from++)
        word |= (byte & 127) << shift
        if (byte < 128) break
      }
    } else if (i >= stride) word = load<u32>(to - (stride << 2))
    store<u32>(to, word)
  }
}
