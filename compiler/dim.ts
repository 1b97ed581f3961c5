import { type Atom, type Dim, type Poly, show, showAtom, type Term } from '../runtime/dims.js'
import { CompileError } from './errors.js'

export { type Dim, freeNamesOf, show, showShape } from '../runtime/dims.js'

/** Algebra on symbolic dimensions; every result is in the canonical form that runtime/dims.ts describes. */

export function free(name: string): Dim {
  return atom({ op: 'free', name })
}

/** What only a run finds: from 0 to `most` (compiler/counted.ts). */
export function found(name: string, most: Dim): Dim {
  return atom({ op: 'free', name, most })
}

export const operandsOf = (a: Atom): readonly Dim[] => (a.op === 'free' ? [] : a.op === 'scale' ? [a.a] : [a.a, a.b])

/** What only a run finds, of which a dimension is made. */
export function foundIn(dim: Dim): { readonly name: string; readonly most: Dim }[] {
  if (typeof dim === 'number') return []
  return dim.terms.flatMap(({ atoms }) =>
    atoms.flatMap(a =>
      a.op !== 'free' ? operandsOf(a).flatMap(foundIn) : a.most === undefined ? [] : [{ name: a.name, most: a.most }]
    )
  )
}

export const isFound = (dim: Dim) => foundIn(dim).length > 0

export function add(...dims: Dim[]): Dim {
  return normalise(dims.flatMap(termsOf))
}

export function sub(a: Dim, b: Dim): Dim {
  return add(a, mul(b, -1))
}

export function mul(...dims: Dim[]): Dim {
  let product: Term[] = [{ factor: 1, atoms: [] }]
  for (const dim of dims) {
    const terms = termsOf(dim)
    if (product.length * terms.length > longest) tooLong()
    product = product.flatMap(p => terms.map(t => ({ factor: p.factor * t.factor, atoms: [...p.atoms, ...t.atoms] })))
  }
  return normalise(product)
}

/** floor(a / b), exact where the division is. */
export function div(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b)
  if (same(a, b)) return 1
  const exact = divideExactly(a, b)
  if (exact !== undefined) return exact
  if (typeof b !== 'number') return atom({ op: 'div', a, b })
  const whole: Term[] = []
  const rest: Term[] = []
  for (const term of termsOf(a)) {
    const quotient = Math.floor(term.factor / b)
    if (quotient) whole.push({ factor: quotient, atoms: term.atoms })
    if (term.factor - quotient * b) rest.push({ factor: term.factor - quotient * b, atoms: term.atoms })
  }
  const remainder = normalise(rest)
  if (typeof remainder === 'number') return add(normalise(whole), Math.floor(remainder / b))
  return add(normalise(whole), atom({ op: 'div', a: remainder, b }))
}

export function ceilDiv(a: Dim, b: number): Dim {
  return div(add(a, b - 1), b)
}

/** floor(a * by) for a real factor, as Resize scales a dimension. */
export function scale(a: Dim, by: number): Dim {
  if (typeof a === 'number') return Math.floor(Math.fround(a * by) + 1e-6)
  return Number.isInteger(by) ? mul(a, by) : atom({ op: 'scale', a, by })
}

export function min(a: Dim, b: Dim): Dim {
  return extremum('min', a, b)
}

export function max(a: Dim, b: Dim): Dim {
  return extremum('max', a, b)
}

function extremum(op: 'min' | 'max', a: Dim, b: Dim): Dim {
  if ((least(sub(a, b)) ?? -1) >= 0) return op === 'min' ? b : a
  if ((least(sub(b, a)) ?? -1) >= 0) return op === 'min' ? a : b
  return atom({ op, a, b })
}

/** A lower bound, as free dimensions are at least 1; undefined where nothing is known. */
export function least(dim: Dim): number | undefined {
  const bound = leastOf(dim, mostSteps)
  return Number.isFinite(bound) ? bound : undefined
}

/** An upper bound; infinity where nothing is known. */
export function greatest(dim: Dim): number {
  return -leastOf(mul(dim, -1), mostSteps)
}

/** How often minima and maxima are opened up, one in another or one behind another. */
const mostSteps = 4

function leastOf(dim: Dim, steps: number): number {
  if (typeof dim === 'number') return dim
  let low = 0
  for (const { factor, atoms } of dim.terms)
    low += atoms.map(a => rangeOfAtom(a, steps)).reduce(times, [factor, factor])[0]
  const choices = steps > 0 ? choicesOf(dim) : undefined
  if (!choices) return low
  const each = choices.dims.map(choice => leastOf(choice, steps - 1))
  return Math.max(low, choices.all ? Math.min(...each) : Math.max(...each))
}

/** The dimension with each operand of a minimum or maximum in its place: no less than the least of `all` of them, or than any. */
function choicesOf(dim: Poly): { dims: Dim[]; all: boolean } | undefined {
  for (const [i, { factor, atoms }] of dim.terms.entries()) {
    const [only] = atoms
    if (atoms.length !== 1 || (only.op !== 'min' && only.op !== 'max')) continue
    const rest = normalise(dim.terms.filter((_, other) => other !== i))
    return {
      dims: operandsOf(only).map(operand => add(rest, mul(factor, operand))),
      all: (only.op === 'min') === factor > 0
    }
  }
  return undefined
}

type Range = readonly [low: number, high: number]

function times(a: Range, b: Range): Range {
  const ends = a.flatMap(x => b.map(y => (x === 0 || y === 0 ? 0 : x * y)))
  return [Math.min(...ends), Math.max(...ends)]
}

function rangeOfAtom(a: Atom, steps: number): Range {
  if (a.op === 'free') return a.most === undefined ? [1, Number.POSITIVE_INFINITY] : [0, greatest(a.most)]
  const [x, y] = operandsOf(a).map(
    (operand): Range => [leastOf(operand, steps - 1), -leastOf(mul(operand, -1), steps - 1)]
  )
  if (a.op === 'scale') return [Math.floor(x[0] * a.by), Math.floor(x[1] * a.by)]
  if (a.op === 'min') return [Math.min(x[0], y[0]), Math.min(x[1], y[1])]
  if (a.op === 'max') return [Math.max(x[0], y[0]), Math.max(x[1], y[1])]
  if (typeof a.b === 'number' && a.b > 0) return [Math.floor(x[0] / a.b), Math.floor(x[1] / a.b)]
  return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
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

function atom(a: Atom): Poly {
  return { terms: [{ factor: 1, atoms: [a] }] }
}

function termsOf(dim: Dim): readonly Term[] {
  if (typeof dim !== 'number') return dim.terms
  return dim === 0 ? [] : [{ factor: dim, atoms: [] }]
}

/** Terms of a product, and letters of a dimension's text: sizes of real models have a few. */
const longest = 8192

function tooLong(): never {
  throw new CompileError(`the model has a size that takes more than ${longest} letters or terms to write down`)
}

function normalise(terms: readonly Term[]): Dim {
  const sums = new Map<string, Term>()
  for (const { factor, atoms } of terms) {
    const sorted = atoms.length < 2 ? atoms : [...atoms].sort((a, b) => (showAtom(a) < showAtom(b) ? -1 : 1))
    const key = sorted.map(showAtom).join('*')
    sums.set(key, { factor: factor + (sums.get(key)?.factor ?? 0), atoms: sorted })
  }
  const kept = [...sums].filter(([, term]) => term.factor !== 0)
  if (kept.reduce((sum, [key]) => sum + key.length + 1, 0) > longest) tooLong()
  const beyond = kept.find(([, { factor }]) => !(Math.abs(factor) <= Number.MAX_SAFE_INTEGER))
  if (beyond) throw new CompileError(`the model has a size of ${beyond[1].factor}; 2^53 is the largest`)
  if (kept.length === 0) return 0
  if (kept.length === 1 && kept[0][0] === '') return kept[0][1].factor
  kept.sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1))
  return { terms: kept.map(([, term]) => term) }
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
