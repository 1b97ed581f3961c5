/**
 * Element-wise kernels over up to six nested loops. Every operand has its own strides, in floats: 0 repeats it, negative
 * ones walk backwards. The outer five loops find where a row starts; a row of d5 elements that is dense or
 * repeated runs on vectors, any other gathers and scatters four lanes. A copy between a plane that is dense along d4
 * and one that is dense along d5 changes the layout and goes by 4x4 transposes. Nothing outside a row is touched, and
 * each element is read before it is written, so y may be an input.
 */

import { gather, scatter, transpose } from '../lanes'
import { at, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import { activate, activateRow, CLIP, IDENTITY, leakyRelu, lowerBound, upperBound } from './activation'
import {
  ADD,
  arithmeticRow,
  DIV,
  EQUAL,
  GREATER,
  isArithmetic,
  LESS,
  MAX,
  MIN,
  MUL,
  POW,
  PRELU,
  SUB,
  truth
} from './arithmetic'
import { mod, powf, remainder } from './math'

const GREATER_OR_EQUAL: u32 = 10
const LESS_OR_EQUAL: u32 = 11
const AND: u32 = 12
const OR: u32 = 13
const XOR: u32 = 14
const MOD: u32 = 16
const REMAINDER: u32 = 17
const BIT_AND: u32 = 18
const BIT_OR: u32 = 19
const BIT_XOR: u32 = 20
const SCALE_BY_POWER: u32 = 21

/** From this many bytes on, a dense copy is worth its call. */
const LONG_ROW: u32 = 1024
@unmanaged
export class UnaryParams {
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
  act: u32
  alpha: f32
  beta: f32
}

@unmanaged
export class BinaryParams {
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
  act: u32
  alpha: f32
  beta: f32
}

@unmanaged
export class WhereParams {
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
  c0: i32
  c1: i32
  c2: i32
  c3: i32
  c4: i32
  c5: i32
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
}

export function unary(p: UnaryParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, p.act > CLIP ? 8 : 1)
  const n = columns
  const layoutChange = p.act == IDENTITY && p.d4 > 1 && p.d5 > 1
  while (row < lastRow) {
    let from = at(x, sizes, sizes + LOOPS)
    let to = at(y, sizes, sizes + 2 * LOOPS)
    const rows = takeRun(p.d4)
    if (layoutChange && p.x4 == 1 && p.y5 == 1 && p.x5 != 1) {
      transpose(from, p.x5 << 2, to, p.y4 << 2, rows, n)
    } else if (layoutChange && p.x5 == 1 && p.y4 == 1 && p.y5 != 1) {
      transpose(from, p.x4 << 2, to, p.y5 << 2, n, rows)
    } else {
      for (let i = rows; i > 0; i--, from += p.x4 << 2, to += p.y4 << 2) unaryRow(p, from, to, n)
    }
  }
}

function unaryRow(p: UnaryParams, x: usize, y: usize, n: u32): void {
  const kind = p.act
  const xStep = p.x5 << 2
  const yStep = p.y5 << 2
  if (xStep == 4 && yStep == 4) {
    if (kind == IDENTITY && n << 2 >= LONG_ROW) memory.copy(y, x, n << 2)
    else activateRow(kind, p.alpha, p.beta, x, y, n)
    return
  }
  const alpha = f32x4.splat(p.alpha)
  const beta = f32x4.splat(p.beta)
  let i: u32 = 0
  // Every other element, as of slices with steps; the last vector would read behind them.
  if (xStep == 8 && yStep == 4)
    for (; i + 5 <= n; i += 4) {
      const v = i32x4.shuffle(v128.load(x + (i << 3)), v128.load(x + (i << 3), 16), 0, 2, 4, 6)
      v128.store(y + (i << 2), activate(kind, v, alpha, beta))
    }
  for (; i < n; i += 4) {
    scatter(y + i * yStep, yStep, activate(kind, gather(x + i * xStep, xStep, n - i), alpha, beta), n - i)
  }
}

export function binary(p: BinaryParams, a: usize, b: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, p.act > CLIP || p.kind == POW ? 8 : 1)
  const n = columns
  const repeats = <u32>p.a5 > 1 || <u32>p.b5 > 1 || p.y5 != 1
  const arithmetic = !repeats && n >= 8 && p.act <= CLIP && isArithmetic(p.kind)
  const low = lowerBound(min(p.act, CLIP), p.alpha)
  const high = upperBound(min(p.act, CLIP), p.beta)
  while (row < lastRow) {
    let left = at(a, sizes, sizes + LOOPS)
    let right = at(b, sizes, sizes + 2 * LOOPS)
    let to = at(y, sizes, sizes + 3 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--) {
      const done = arithmetic ? arithmeticRow(p.kind, left, p.a5 != 0, right, p.b5 != 0, to, n, low, high) : 0
      if (done < n) binaryRow(p, left, right, to, done, n)
      left += p.a4 << 2
      right += p.b4 << 2
      to += p.y4 << 2
    }
  }
}

/** The elements of a row from `i` on. */
function binaryRow(p: BinaryParams, a: usize, b: usize, y: usize, i: u32, n: u32): void {
  const kind = p.kind
  // Over a dense row an activation beyond a bound runs afterwards, as a loop of its own.
  const afterwards = p.act > CLIP && p.y5 == 1
  const act = afterwards ? IDENTITY : p.act
  const aStep = p.a5 << 2
  const bStep = p.b5 << 2
  const yStep = p.y5 << 2
  const alpha = f32x4.splat(p.alpha)
  const beta = f32x4.splat(p.beta)
  if (n >= 4 && (aStep == 4 || aStep == 0) && (bStep == 4 || bStep == 0) && yStep == 4) {
    let left = v128.load32_splat(a)
    let right = v128.load32_splat(b)
    for (; i + 4 <= n; i += 4) {
      if (aStep) left = v128.load(a + (i << 2))
      if (bStep) right = v128.load(b + (i << 2))
      v128.store(y + (i << 2), activate(act, combine(kind, left, right), alpha, beta))
    }
  }
  for (; i < n; i += 4) {
    const left = gather(a + i * aStep, aStep, n - i)
    const right = gather(b + i * bStep, bStep, n - i)
    scatter(y + i * yStep, yStep, activate(act, combine(kind, left, right), alpha, beta), n - i)
  }
  if (afterwards) activateRow(p.act, p.alpha, p.beta, y, y, n)
}

function combine(kind: u32, a: v128, b: v128): v128 {
  switch (kind) {
    case ADD:
      return f32x4.add(a, b)
    case SUB:
      return f32x4.sub(a, b)
    case MUL:
      return f32x4.mul(a, b)
    case DIV:
      return f32x4.div(a, b)
    case POW:
      return powf(a, b)
    case MAX:
      return f32x4.max(a, b)
    case MIN:
      return f32x4.min(a, b)
    case EQUAL:
      return truth(f32x4.eq(a, b))
    case GREATER:
      return truth(f32x4.gt(a, b))
    case LESS:
      return truth(f32x4.lt(a, b))
    case GREATER_OR_EQUAL:
      return truth(f32x4.ge(a, b))
    case LESS_OR_EQUAL:
      return truth(f32x4.le(a, b))
    case AND:
      return truth(v128.and(nonzero(a), nonzero(b)))
    case OR:
      return truth(v128.or(nonzero(a), nonzero(b)))
    case XOR:
      return truth(v128.xor(nonzero(a), nonzero(b)))
    case PRELU:
      return leakyRelu(a, b)
    case MOD:
      return mod(a, b)
    case REMAINDER:
      return remainder(a, b)
    case BIT_AND:
      return ofSign(v128.and(negative(a), negative(b)), v128.and(bitsOf(a), bitsOf(b)))
    case BIT_OR:
      return ofSign(v128.or(negative(a), negative(b)), v128.or(bitsOf(a), bitsOf(b)))
    case BIT_XOR:
      return ofSign(v128.xor(negative(a), negative(b)), v128.xor(bitsOf(a), bitsOf(b)))
    case SCALE_BY_POWER:
      return scaleByPower(a, b)
    default:
      return a
  }
}

function negative(v: v128): v128 {
  return f32x4.lt(v, f32x4.splat(0))
}

/** Whole numbers of either sign as 32 bits. */
function bitsOf(v: v128): v128 {
  return v128.bitselect(i32x4.trunc_sat_f32x4_s(v), i32x4.trunc_sat_f32x4_u(v), negative(v))
}

function ofSign(below: v128, bits: v128): v128 {
  return v128.bitselect(f32x4.convert_i32x4_s(bits), f32x4.convert_i32x4_u(bits), below)
}

/** a * 2^b for whole b; nothing is left of what moves further than 63 places. */
function scaleByPower(a: v128, b: v128): v128 {
  const near = f32x4.lt(f32x4.abs(b), f32x4.splat(64))
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(v128.and(b, near)), i32x4.splat(127)), 23)
  return v128.and(f32x4.mul(a, power), near)
}

function nonzero(v: v128): v128 {
  return f32x4.ne(v, f32x4.splat(0))
}

export function where(p: WhereParams, c: usize, a: usize, b: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 2)
  const n = columns
  while (row < lastRow) {
    let condition = at(c, sizes, sizes + LOOPS)
    let left = at(a, sizes, sizes + 2 * LOOPS)
    let right = at(b, sizes, sizes + 3 * LOOPS)
    let to = at(y, sizes, sizes + 4 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--) {
      whereRow(p, condition, left, right, to, n)
      condition += p.c4 << 2
      left += p.a4 << 2
      right += p.b4 << 2
      to += p.y4 << 2
    }
  }
}

function whereRow(p: WhereParams, c: usize, a: usize, b: usize, y: usize, n: u32): void {
  const cStep = p.c5 << 2
  const aStep = p.a5 << 2
  const bStep = p.b5 << 2
  const yStep = p.y5 << 2
  let i: u32 = 0
  if (n >= 4 && cStep == 4 && yStep == 4 && (aStep | 4) == 4 && (bStep | 4) == 4) {
    let v = v128.load32_splat(a)
    let w = v128.load32_splat(b)
    for (; i + 4 <= n; i += 4) {
      if (aStep) v = v128.load(a + (i << 2))
      if (bStep) w = v128.load(b + (i << 2))
      v128.store(y + (i << 2), v128.bitselect(v, w, nonzero(v128.load(c + (i << 2)))))
    }
  }
  for (; i < n; i += 4) {
    const left = n - i
    const condition = nonzero(gather(c + i * cStep, cStep, left))
    const v = v128.bitselect(gather(a + i * aStep, aStep, left), gather(b + i * bStep, bStep, left), condition)
    scatter(y + i * yStep, yStep, v, left)
  }
}
