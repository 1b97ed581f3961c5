/** Rows of the operators that networks use most, whose operands are dense or repeat one element. */
import { statics } from '../thread'
import { clip, leakyRelu } from './activation'

export const ADD: u32 = 0
export const SUB: u32 = 1
export const MUL: u32 = 2
export const DIV: u32 = 3
export const POW: u32 = 4
export const MAX: u32 = 5
export const MIN: u32 = 6
export const EQUAL: u32 = 7
export const GREATER: u32 = 8
export const LESS: u32 = 9
export const PRELU: u32 = 15

/** 1 where the mask is set, else 0. */
export function truth(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1))
}

/** Whether arithmeticRow has a loop for it. */
export function isArithmetic(kind: u32): bool {
  return (kind <= LESS && kind != POW) || kind == PRELU
}

/** Eight elements a turn share one look at the kind; returns how many elements are done. */
export function arithmeticRow(
  kind: u32,
  a: usize,
  aSteps: bool,
  b: usize,
  bSteps: bool,
  y: usize,
  n: u32,
  low: v128,
  high: v128
): u32 {
  const left = v128.load32_splat(a)
  const right = v128.load32_splat(b)
  let i: u32 = 0
  if ((kind == MUL || kind == ADD) && n >= 16 && (aSteps || bSteps)) {
    const repeated = statics()
    for (let at: usize = 0; at < 64; at += 16) v128.store(repeated + at, aSteps ? right : left)
    i = sumOrProduct(
      kind == MUL,
      aSteps ? a : repeated,
      aSteps ? 64 : 0,
      bSteps ? b : repeated,
      bSteps ? 64 : 0,
      y,
      n,
      low,
      high
    )
  }
  for (; i + 8 <= n; i += 8) {
    let a0 = left
    let a1 = left
    let b0 = right
    let b1 = right
    if (aSteps) {
      a0 = v128.load(a + (i << 2))
      a1 = v128.load(a + (i << 2), 16)
    }
    if (bSteps) {
      b0 = v128.load(b + (i << 2))
      b1 = v128.load(b + (i << 2), 16)
    }
    switch (kind) {
      case ADD: {
        a0 = f32x4.add(a0, b0)
        a1 = f32x4.add(a1, b1)
        break
      }
      case SUB: {
        a0 = f32x4.sub(a0, b0)
        a1 = f32x4.sub(a1, b1)
        break
      }
      case MUL: {
        a0 = f32x4.mul(a0, b0)
        a1 = f32x4.mul(a1, b1)
        break
      }
      case DIV: {
        a0 = f32x4.div(a0, b0)
        a1 = f32x4.div(a1, b1)
        break
      }
      case PRELU: {
        a0 = leakyRelu(a0, b0)
        a1 = leakyRelu(a1, b1)
        break
      }
      case EQUAL: {
        a0 = truth(f32x4.eq(a0, b0))
        a1 = truth(f32x4.eq(a1, b1))
        break
      }
      case GREATER: {
        a0 = truth(f32x4.gt(a0, b0))
        a1 = truth(f32x4.gt(a1, b1))
        break
      }
      case LESS: {
        a0 = truth(f32x4.lt(a0, b0))
        a1 = truth(f32x4.lt(a1, b1))
        break
      }
      case MAX: {
        a0 = f32x4.max(a0, b0)
        a1 = f32x4.max(a1, b1)
        break
      }
      default: {
        a0 = f32x4.min(a0, b0)
        a1 = f32x4.min(a1, b1)
      }
    }
    v128.store(y + (i << 2), clip(a0, low, high))
    v128.store(y + (i << 2), clip(a1, low, high), 16)
  }
  return i
}

/** What networks do most, sixteen elements a turn. */
function sumOrProduct(
  product: bool,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  y: usize,
  n: u32,
  low: v128,
  high: v128
): u32 {
  const whole = n & ~15
  for (const end = y + (whole << 2); y < end; a += aStep, b += bStep, y += 64) {
    let a0 = v128.load(a)
    let a1 = v128.load(a, 16)
    let a2 = v128.load(a, 32)
    let a3 = v128.load(a, 48)
    if (product) {
      a0 = f32x4.mul(a0, v128.load(b))
      a1 = f32x4.mul(a1, v128.load(b, 16))
      a2 = f32x4.mul(a2, v128.load(b, 32))
      a3 = f32x4.mul(a3, v128.load(b, 48))
    } else {
      a0 = f32x4.add(a0, v128.load(b))
      a1 = f32x4.add(a1, v128.load(b, 16))
      a2 = f32x4.add(a2, v128.load(b, 32))
      a3 = f32x4.add(a3, v128.load(b, 48))
    }
    v128.store(y, clip(a0, low, high))
    v128.store(y, clip(a1, low, high), 16)
    v128.store(y, clip(a2, low, high), 32)
    v128.store(y, clip(a3, low, high), 48)
  }
  return whole
}
