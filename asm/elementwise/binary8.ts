import { byteAt, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import { floats } from './quantize'
import { level, levels, Requantise, storeBytes, zeroFor } from './requantise'

/** Sums and products of bytes with scales of their own; see compiler/ops/elementwise/binary8.ts. */
@unmanaged
export class Binary8Params {
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
  a0: i32
  a1: i32
  a2: i32
  a3: i32
  a4: i32
  a5: i32
  b0: i32
  b1: i32
  b2: i32
  b3: i32
  b4: i32
  b5: i32
  y0: i32
  y1: i32
  y2: i32
  y3: i32
  y4: i32
  y5: i32
  kind: u32
  aZero: u32
  bZero: u32
  aScale: f32
  bScale: f32
  yScale: f32
  yZero: u32
  low: u32
  high: u32
}

const ADD: u32 = 0

export function binary8(p: Binary8Params, a: usize, b: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 1)
  const n = columns
  while (row < lastRow) {
    let left = byteAt(a, sizes, sizes + LOOPS)
    let right = byteAt(b, sizes, sizes + 2 * LOOPS)
    let to = byteAt(y, sizes, sizes + 3 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--, left += p.a4, right += p.b4, to += p.y4) binaryRow(p, left, right, to, n)
  }
}

function binaryRow(p: Binary8Params, a: usize, b: usize, y: usize, n: u32): void {
  const r = changetype<Requantise>(changetype<usize>(p) + offsetof<Binary8Params>('yZero'))
  let i: u32 = 0
  if (<u32>p.a5 <= 1 && <u32>p.b5 <= 1 && p.y5 == 1) {
    const aZero = i32x4.splat(p.aZero)
    const bZero = i32x4.splat(p.bZero)
    const aScale = f32x4.splat(p.aScale)
    const bScale = f32x4.splat(p.bScale)
    const yScale = f32x4.splat(p.yScale)
    const zero = zeroFor(p.yZero)
    const low = i8x16.splat(<i8>p.low)
    const high = i8x16.splat(<i8>p.high)
    for (; i + 8 <= n; i += 8) {
      const v = p.a5 ? v128.load8x8_u(a + i) : i16x8.splat(load<u8>(a))
      const w = p.b5 ? v128.load8x8_u(b + i) : i16x8.splat(load<u8>(b))
      const c = floats(i32x4.extend_low_i16x8_u(v), aZero, aScale)
      const d = floats(i32x4.extend_high_i16x8_u(v), aZero, aScale)
      const e = floats(i32x4.extend_low_i16x8_u(w), bZero, bScale)
      const f = floats(i32x4.extend_high_i16x8_u(w), bZero, bScale)
      const first = p.kind == ADD ? f32x4.add(c, e) : f32x4.mul(c, e)
      const second = p.kind == ADD ? f32x4.add(d, f) : f32x4.mul(d, f)
      const words = i16x8.narrow_i32x4_s(
        levels(f32x4.div(first, yScale), zero),
        levels(f32x4.div(second, yScale), zero)
      )
      storeBytes(y + i, i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(words, words), high), low), 8)
    }
  }
  for (; i < n; i++) {
    const left = <f32>(<i32>load<u8>(a + <usize>i * p.a5) - <i32>p.aZero) * p.aScale
    const right = <f32>(<i32>load<u8>(b + <usize>i * p.b5) - <i32>p.bZero) * p.bScale
    store<u8>(y + <usize>i * p.y5, <u8>level((p.kind == ADD ? left + right : left * right) / p.yScale, r))
  }
}
