/**
 * Moves between memory and the four lanes of a vector, for rows whose elements are `step` bytes apart, and the
 * transposition of a plane that is built on them.
 */

/** The first `count` (1 to 4) of neighbouring floats, zeros behind them. */
export function loadLanes(from: usize, count: u32): v128 {
  if (count == 4) return v128.load(from)
  let v = v128.load32_zero(from)
  if (count > 1) v = v128.load32_lane(from, v, 1, 4)
  if (count > 2) v = v128.load32_lane(from, v, 2, 8)
  return v
}

/** The first four of `count` floats, or all when there are fewer; the other lanes hold zeros. */
export function gather(from: usize, step: usize, count: u32): v128 {
  if (count >= 4) {
    if (step == 4) return v128.load(from)
    if (step == 0) return v128.load32_splat(from)
  }
  let v = v128.load32_zero(from)
  if (count > 1) v = v128.load_lane<f32>(from + step, v, 1)
  if (count > 2) v = v128.load_lane<f32>(from + 2 * step, v, 2)
  if (count > 3) v = v128.load_lane<f32>(from + 3 * step, v, 3)
  return v
}

/** The inverse of gather. */
export function scatter(to: usize, step: usize, v: v128, count: u32): void {
  if (count >= 4 && step == 4) {
    v128.store(to, v)
    return
  }
  v128.store_lane<f32>(to, v, 0)
  if (count > 1) v128.store_lane<f32>(to + step, v, 1)
  if (count > 2) v128.store_lane<f32>(to + 2 * step, v, 2)
  if (count > 3) v128.store_lane<f32>(to + 3 * step, v, 3)
}

/**
 * y[i][j] = x[j][i] for i < rows, j < columns; the rows of x lie xStep bytes apart, those of y yStep. Strips of sixteen
 * columns write whole cache lines while they read sixteen streams; they are wider where the rows of y lie so far apart
 * that neighbouring ones share a cache set.
 */
export function transpose(x: usize, xStep: usize, y: usize, yStep: usize, rows: usize, columns: usize): void {
  if (columns == 2 && yStep == 8 && rows >= 4) {
    interleave(x, x + xStep, y, rows)
    return
  }
  const blockRows = rows & ~3
  const blockColumns = columns & ~3
  const width: usize = xStep << 3 < yStep ? 64 : 16
  let j: usize = 0
  while (j < blockColumns) {
    const strip = min(blockColumns - j, width)
    for (let i: usize = 0; i < blockRows; i += 4) {
      let from = x + j * xStep + (i << 2)
      let to = y + i * yStep + (j << 2)
      for (let block: usize = 0; block < strip; block += 4) {
        transposeBlock(from, xStep, to, yStep)
        from += xStep << 2
        to += 16
      }
    }
    j += strip
  }
  if (j < columns) {
    for (let i: usize = 0; i < blockRows; i += 4) {
      for (let k = j; k < columns; k++) {
        scatter(y + i * yStep + (k << 2), yStep, v128.load(x + k * xStep + (i << 2)), 4)
      }
    }
  }
  for (let i = blockRows; i < rows; i++) {
    for (let k: usize = 0; k < columns; k++) {
      store<f32>(y + i * yStep + (k << 2), load<f32>(x + k * xStep + (i << 2)))
    }
  }
}

/** y = a0 b0 a1 b1 ..., which is what a channel shuffle of two groups does; at least four of each. */
function interleave(a: usize, b: usize, y: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    // The last four may repeat what is done.
    const at = min(i, count - 4)
    const v = v128.load(a + (at << 2))
    const w = v128.load(b + (at << 2))
    v128.store(y + (at << 3), i32x4.shuffle(v, w, 0, 4, 1, 5))
    v128.store(y + (at << 3), i32x4.shuffle(v, w, 2, 6, 3, 7), 16)
  }
}

function transposeBlock(x: usize, xStep: usize, y: usize, yStep: usize): void {
  const row0 = v128.load(x)
  const row1 = v128.load(x + xStep)
  const row2 = v128.load(x + 2 * xStep)
  const row3 = v128.load(x + 3 * xStep)
  const low01 = i32x4.shuffle(row0, row1, 0, 4, 1, 5)
  const low23 = i32x4.shuffle(row2, row3, 0, 4, 1, 5)
  const high01 = i32x4.shuffle(row0, row1, 2, 6, 3, 7)
  const high23 = i32x4.shuffle(row2, row3, 2, 6, 3, 7)
  v128.store(y, i64x2.shuffle(low01, low23, 0, 2))
  v128.store(y + yStep, i64x2.shuffle(low01, low23, 1, 3))
  v128.store(y + 2 * yStep, i64x2.shuffle(high01, high23, 0, 2))
  v128.store(y + 3 * yStep, i64x2.shuffle(high01, high23, 1, 3))
}
