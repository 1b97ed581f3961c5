import { type Atom, atomOf, type Dim, type Operation, show, showAtom, type Term } from '../../runtime/file/index.js'
import { greatest, least } from './bounds.js'
import { add, atom, mul, negative, normalise, poly, sub, termsOf } from './terms.js'

export { type Dim, freeName, freeNamesOf, show, showShape } from '../../runtime/file/index.js'

/**
 * Algebra on symbolic dimensions; every result is in the canonical form that runtime/file/dims.ts describes. Operands are whole
 * numbers but where real.ts says otherwise. What is simplified holds for free dimensions of at least 0; a quotient
 * that is exact as a polynomial is it for all divisors but 0.
 */

/** floor(a / b), exact where the division is. */
export function div(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b) + 0
  if (same(a, b)) return 1
  const exact = divideExactly(a, b)
  if (exact !== undefined) return exact
  if (typeof b !== 'number') return atom('div', a, b)
  const whole: Term[] = []
  const rest: Term[] = []
  for (const term of termsOf(a)) {
    const quotient = Math.floor(term.factor / b)
    if (quotient) whole.push({ factor: quotient, atoms: term.atoms })
    if (term.factor - quotient * b) rest.push({ factor: term.factor - quotient * b, atoms: term.atoms })
  }
  const remainder = normalise(rest)
  if (typeof remainder === 'number') return add(normalise(whole), Math.floor(remainder / b))
  return add(normalise(whole), atom('div', remainder, b))
}

export function ceilDiv(a: Dim, b: number): Dim {
  return div(add(a, b - 1), b)
}

/** a / b without its fraction, as integers are divided in C: floored only where the signs are known to agree. */
export function quotient(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0
  if (typeof b === 'number' && b < 0) return negative(quotient(a, -b))
  if (same(a, b)) return 1
  const exact = divideExactly(a, b)
  if (exact !== undefined) return exact
  if (least(b) >= 0 && least(a) >= 0) return div(a, b)
  if (least(b) >= 0 && greatest(a) <= 0) return negative(div(negative(a), b))
  return atom('trunc', atom('over', a, b))
}

export function min(a: Dim, b: Dim): Dim {
  return extremum('min', a, b)
}

export function max(a: Dim, b: Dim): Dim {
  return extremum('max', a, b)
}

function extremum(op: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (least(sub(a, b)) >= 0) return op === 'min' ? b : a
  if (least(sub(b, a)) >= 0) return op === 'min' ? a : b
  return atom(op, a, b)
}

/** 1 where a < b, else 0. */
export function less(a: Dim, b: Dim): Dim {
  const difference = sub(a, b)
  if (greatest(difference) < 0) return 1
  return least(difference) >= 0 ? 0 : atom('less', difference, 0)
}

/** 1 where a = b, else 0. */
export function equal(a: Dim, b: Dim): Dim {
  const difference = sub(a, b)
  if (difference === 0) return 1
  if (typeof difference === 'number' || least(difference) > 0 || greatest(difference) < 0) return 0
  return atom('equal', difference.terms[0].factor < 0 ? negative(difference) : difference, 0)
}

/** The dimension with every free one larger by 1: what is known of it is known for free dimensions of at least 1. */
export function fromOne(dim: Dim): Dim {
  const rules: Partial<Record<Operation, (...of: Dim[]) => Dim>> = { div, min, max, less, equal, where }
  const atomFromOne = (each: Atom): Dim => {
    if (each.op === 'free') return add(poly(each), 1)
    const of = each.of.map(fromOne)
    return rules[each.op]?.(...of) ?? atom(each.op, ...of)
  }
  return add(...termsOf(dim).map(({ factor, atoms }) => mul(factor, ...atoms.map(atomFromOne))))
}

/** a where the condition, 1 or 0, holds, else b. */
export function where(condition: Dim, a: Dim, b: Dim): Dim {
  if (typeof condition === 'number') return condition ? a : b
  return same(a, b) ? a : atom('where', condition, a, b)
}

/** The size that a and b broadcast to: the one that is not 1. Whoever asks has to see to it that they are equal otherwise. */
export function broadcast(a: Dim, b: Dim): Dim {
  return where(equal(a, 1), b, a)
}

/** The sizes that `dim` is what they broadcast to; itself where it is no such size. */
export function broadcastOf(dim: Dim): readonly Dim[] {
  const choice = atomOf(dim)
  if (choice?.op !== 'where') return [dim]
  const [condition, b, a] = choice.of
  return same(condition, equal(a, 1)) ? [a, ...broadcastOf(b)] : [dim]
}

export function product(dims: readonly Dim[]): Dim {
  return mul(1, ...dims)
}

export function same(a: Dim, b: Dim): boolean {
  return a === b || (typeof a !== 'number' && typeof b !== 'number' && show(a) === show(b))
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => same(dim, b[axis]))
}

export function isStatic(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every(dim => typeof dim === 'number')
}

/** C-order strides of a dense tensor. */
export function denseStrides(shape: readonly Dim[]): Dim[] {
  const strides: Dim[] = new Array(shape.length)
  let step: Dim = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step = mul(step, shape[axis])
  }
  return strides
}

/** a / b where nothing is left over: long division by the leading term, which canonical order puts first. */
function divideExactly(a: Dim, b: Dim): Dim | undefined {
  const [lead] = leadingFirst(termsOf(b))
  if (!lead) return undefined
  const quotient: Term[] = []
  let rest = a
  for (let terms = leadingFirst(termsOf(rest)); terms.length; terms = leadingFirst(termsOf(rest))) {
    const next = divideTerm(terms[0], lead)
    if (!next || quotient.length > longestQuotient) return undefined
    quotient.push(next)
    rest = sub(rest, mul({ terms: [next] }, b))
  }
  return normalise(quotient)
}

const longestQuotient = 32

/** By falling degree, so that what a division takes away is never of higher degree than what it divides. */
function leadingFirst(terms: readonly Term[]): Term[] {
  return [...terms].sort((a, b) => b.atoms.length - a.atoms.length || (keyOf(a) < keyOf(b) ? -1 : 1))
}

const keyOf = (term: Term) => term.atoms.map(showAtom).join('*')

function divideTerm(a: Term, b: Term): Term | undefined {
  if (a.factor % b.factor !== 0) return undefined
  const left = a.atoms.map(showAtom)
  const kept = [...a.atoms]
  for (const wanted of b.atoms) {
    const at = left.indexOf(showAtom(wanted))
    if (at < 0) return undefined
    left.splice(at, 1)
    kept.splice(at, 1)
  }
  return { factor: a.factor / b.factor, atoms: kept }
}
