import { byteAt, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import { statics } from '../thread'

/** y = table[x] over bytes and any strides; see compiler/ops/elementwise/lookup.ts. The table has 128 taken off its entries. */
@unmanaged
export class LookupParams {
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
  x0: i32
  x1: i32
  x2: i32
  x3: i32
  x4: i32
  x5: i32
  y0: i32
  y1: i32
  y2: i32
  y3: i32
  y4: i32
  y5: i32
}

export function lookup(p: LookupParams, x: usize, table: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  const isCopy = isIdentity(table)
  const entries = statics()
  for (let i: usize = 0; i < 256; i += 16) v128.store(entries + i, v128.xor(v128.load(table + i), i8x16.splat(-128)))
  takeSlice(sizes, 1)
  const n = columns
  while (row < lastRow) {
    let from = byteAt(x, sizes, sizes + LOOPS)
    let to = byteAt(y, sizes, sizes + 2 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--, from += p.x4, to += p.y4) {
      if (isCopy && p.x5 == 1 && p.y5 == 1) memory.copy(to, from, n)
      else lookupRow(from, p.x5, entries, to, p.y5, n)
    }
  }
}

function isIdentity(table: usize): bool {
  let expected = i8x16(-128, -127, -126, -125, -124, -123, -122, -121, -120, -119, -118, -117, -116, -115, -114, -113)
  for (let i: usize = 0; i < 256; i += 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(table + i), expected))) return false
    expected = i8x16.add(expected, i8x16.splat(16))
  }
  return true
}

function lookupRow(x: usize, xStep: usize, table: usize, y: usize, yStep: usize, n: u32): void {
  let left = n
  if (xStep == 1 && yStep == 1)
    for (; left >= 8; left -= 8, x += 8, y += 8) {
      store<u8>(y, load<u8>(table + load<u8>(x)))
      store<u8>(y, load<u8>(table + load<u8>(x, 1)), 1)
      store<u8>(y, load<u8>(table + load<u8>(x, 2)), 2)
      store<u8>(y, load<u8>(table + load<u8>(x, 3)), 3)
      store<u8>(y, load<u8>(table + load<u8>(x, 4)), 4)
      store<u8>(y, load<u8>(table + load<u8>(x, 5)), 5)
      store<u8>(y, load<u8>(table + load<u8>(x, 6)), 6)
      store<u8>(y, load<u8>(table + load<u8>(x, 7)), 7)
    }
  for (; left > 0; left--, x += xStep, y += yStep) store<u8>(y, load<u8>(table + load<u8>(x)))
}
