import { atomOf, type Dim } from '../../runtime/file/index.js'
import { greatest, isWhole, least } from './bounds.js'
import { div, equal, less, max, min, quotient } from './dim.js'
import { add, atom, mul, negative, termsOf } from './terms.js'

/**
 * Floats that a model computes from sizes, step by step as floats round. One is carried as a number, as a polynomial that
 * is exact (whole numbers and their halves, quarters …), or as one atom; so a step is one operation in double precision and
 * then `f32`, which gives what single precision gives (products and sums of two floats, quotients and roots round alike
 * twice and once: Figueroa 1995, "When is double rounding innocuous?").
 */
export type Precision = 'float32' | 'float64'

/** Takes note that two dimensions have to be equal. */
export type Assume = (a: Dim, b: Dim) => void

/** Up to here single precision tells whole numbers apart. */
const mostSingle = 2 ** 24

/** A result of one operation, rounded. Where only enormous sizes would be, they are ruled out instead. */
export function rounded(value: Dim, to: Precision, assume: Assume): Dim {
  if (typeof value === 'number') return to === 'float32' ? Math.fround(value) : value
  if (isRounded(value, to)) return value
  const whole = inUnits(value)
  if (to === 'float64') return whole ? value : atom('f64', value)
  if (!whole) return atom('f32', value)
  const units = divided(whole.dim)
  if (Math.max(-least(units), greatest(units)) <= mostSingle) return value
  if (!isSmall(units)) return atom('f32', value)
  assume(max(max(units, negative(units)), mostSingle), mostSingle)
  return value
}

/** A few sizes added up. */
function isSmall(dim: Dim): boolean {
  const terms = termsOf(dim)
  return terms.every(({ atoms }) => atoms.length <= 1) && weight(terms.filter(({ atoms }) => atoms.length)) <= 8
}

const weight = (terms: readonly { factor: number }[]) => terms.reduce((sum, { factor }) => sum + Math.abs(factor), 0)

/** Without the power of two that all factors share. */
function divided(dim: Dim): Dim {
  let by = 1
  while (termsOf(dim).every(({ factor }) => factor % (by * 2) === 0)) by *= 2
  return mul(dim, 1 / by)
}

/** Whether the value is one of `precision` as it stands. */
function isRounded(value: Dim, precision: Precision): boolean {
  if (typeof value === 'number') return precision === 'float64' || Math.fround(value) === value
  const own = atomOf(value)
  if (!own || own.op === 'free') return false
  const { op, of } = own
  if (op === 'f32' || op === 'f64') return op === 'f32' || precision === 'float64'
  if (op === 'floor' || op === 'trunc' || op === 'round') return isRounded(of[0], precision)
  if (op === 'min' || op === 'max') return of.every(each => isRounded(each, precision))
  return op === 'where' && of.slice(1).every(each => isRounded(each, precision))
}

/** A whole polynomial and how many of its units make 1, at most 2^24; undefined for what is no such fraction. */
function inUnits(value: Dim): { dim: Dim; units: number } | undefined {
  for (let units = 1; units <= mostSingle; units *= 2) {
    const dim = mul(value, units)
    if (isWhole(dim)) return { dim, units }
  }
  return undefined
}

const isExact = (value: Dim) => inUnits(value) !== undefined

/** An operand of a step that is not exact: a number, or one atom. */
const solid = (value: Dim): Dim => (typeof value === 'number' || atomOf(value) ? value : atom('f64', value))

const step =
  (compute: (a: Dim, b: Dim) => Dim) =>
  (a: Dim, b: Dim): Dim =>
    isExact(a) && isExact(b) ? compute(a, b) : compute(solid(a), solid(b))

export const sum = step(add)
export const difference = step((a, b) => add(a, negative(b)))
export const product = step(mul)

export function ratio(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a / b
  if (typeof b === 'number' && Number.isInteger(Math.log2(Math.abs(b)))) return product(a, 1 / b)
  return atom('over', a, b)
}

export function root(a: Dim): Dim {
  return typeof a === 'number' ? Math.sqrt(a) : atom('sqrt', a)
}

export function floor(a: Dim): Dim {
  if (typeof a === 'number') return Math.floor(a) + 0
  const whole = inUnits(a)
  return whole ? div(whole.dim, whole.units) : isWhole(a) ? a : atom('floor', a)
}

export function ceil(a: Dim): Dim {
  return negative(floor(negative(a)))
}

/** The nearest whole number, the even one of two. */
export function round(a: Dim): Dim {
  return isWhole(a) ? a : atom('round', a)
}

/** Without its fraction, as a Cast to integers takes it. */
export function truncated(a: Dim): Dim {
  if (typeof a === 'number') return Math.trunc(a) + 0
  const whole = inUnits(a)
  if (whole) return quotient(whole.dim, whole.units)
  if (isWhole(a)) return a
  return least(a) >= 0 ? atom('floor', a) : atom('trunc', a)
}

const compared =
  (op: 'min' | 'max' | 'less' | 'equal', exactly: (a: Dim, b: Dim) => Dim) =>
  (a: Dim, b: Dim): Dim =>
    (isExact(a) && isExact(b)) || (typeof a === 'number' && typeof b === 'number') ? exactly(a, b) : atom(op, a, b)

export const lower = compared('min', min)
export const higher = compared('max', max)
export const isLess = compared('less', less)
export const isEqual = compared('equal', equal)
