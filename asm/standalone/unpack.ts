/**
 * `groups` matrices of `rows` × `columns` elements of `width` bytes, in panels of `panel` columns: as the file has them at
 * `from`, to `to`, where the last panels are padded with zeros. runtime/file/unpack.ts does the same.
 */
export function unpack(
  from: usize,
  to: usize,
  groups: u32,
  rows: u32,
  columns: u32,
  panel: u32,
  width: u32
): void {
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
