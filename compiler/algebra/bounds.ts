import { type Atom, type Dim, type Operation, operations, type Poly, type Term } from '../../runtime/file/index.js'
import { add, mul, termsOf } from './terms.js'

/**
 * What is known of symbolic dimensions without their values, free dimensions being at least 0: intervals, in which floors
 * and minima are opened up where that brings terms together (H - 4·floor(H/4) is at least H - 4·H/4).
 */
type Range = readonly [low: number, high: number]

const anything: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

const known = new WeakMap<Poly, number>()

/** A lower bound; minus infinity where nothing is known. */
export function least(dim: Dim): number {
  if (typeof dim === 'number') return dim
  const bound = known.get(dim) ?? leastOf(dim, mostSteps)
  known.set(dim, bound)
  return bound
}

/** An upper bound; infinity where nothing is known. */
export function greatest(dim: Dim): number {
  return -leastOf(mul(dim, -1), mostSteps)
}

/** Whether the value is a whole number at every binding. */
export function isWhole(dim: Dim): boolean {
  return termsOf(dim).every(({ factor, atoms }) => Number.isInteger(factor) && atoms.every(isWholeAtom))
}

export function isWholeAtom(atom: Atom): boolean {
  if (atom.op === 'free' || always.has(atom.op)) return true
  if (atom.op === 'where') return isWhole(atom.of[1]) && isWhole(atom.of[2])
  return kept.has(atom.op) && atom.of.every(isWhole)
}

const always: ReadonlySet<Operation> = new Set(['div', 'less', 'equal', 'floor', 'trunc', 'round'])
const kept: ReadonlySet<Operation> = new Set(['min', 'max', 'f32', 'f64'])

/** How often floors, minima and maxima are opened up, one in another or one behind another. */
const mostSteps = 3

function leastOf(dim: Dim, steps: number): number {
  if (typeof dim === 'number') return dim
  const [low] = rangeOf(dim)
  const bounds = [low]
  const floors = steps ? withoutFloors(dim) : undefined
  if (floors) {
    const bound = leastOf(floors.dim, steps - 1) / floors.times
    bounds.push(isWhole(dim) ? Math.ceil(bound) : bound)
  }
  const choices = steps ? choicesOf(dim) : undefined
  if (choices) {
    const each = choices.dims.map(choice => leastOf(choice, steps - 1))
    bounds.push(choices.all ? Math.min(...each) : Math.max(...each))
  }
  return Math.max(...bounds) + 0
}

function rangeOf(dim: Dim): Range {
  let [low, high] = [0, 0]
  for (const { factor, atoms } of termsOf(dim)) {
    const range = atoms.map(rangeOfAtom).reduce(times, [factor, factor])
    low += range[0]
    high += range[1]
  }
  return [low, high]
}

function times(a: Range, b: Range): Range {
  const ends = a.flatMap(x => b.map(y => (x === 0 || y === 0 ? 0 : x * y)))
  return [Math.min(...ends), Math.max(...ends)]
}

function rangeOfAtom(atom: Atom): Range {
  if (atom.op === 'free') return [0, atom.most === undefined ? Number.POSITIVE_INFINITY : greatest(atom.most)]
  const ranges = atom.of.map(rangeOf)
  const [a, b] = ranges
  const { op } = atom
  if (op === 'less' || op === 'equal') return [0, 1]
  if (op === 'where') return [Math.min(ranges[1][0], ranges[2][0]), Math.max(ranges[1][1], ranges[2][1])]
  if (op === 'div' || op === 'over') return rangeOfQuotient(op, a, b)
  if (op === 'sqrt' && !(a[0] >= 0)) return anything
  // Everything else grows with its operands.
  const compute: (...operands: number[]) => number = operations[op]
  return [compute(...ranges.map(([low]) => low)), compute(...ranges.map(([, high]) => high))]
}

/** Of divisors above 0. */
function rangeOfQuotient(op: 'div' | 'over', a: Range, b: Range): Range {
  const smallest = op === 'div' ? Math.max(b[0], 1) : b[0]
  if (!(b[0] >= 0) || !(smallest > 0)) return anything
  const divided = (x: number, by: number) =>
    Number.isFinite(by) ? operations[op](x, by) : x < 0 && op === 'div' ? -1 : 0
  return [divided(a[0], a[0] < 0 ? smallest : b[1]), divided(a[1], a[1] < 0 ? b[1] : smallest)]
}

/** Whether a product of the atoms is known not to be negative. */
const areCounts = (atoms: readonly Atom[]) => atoms.every(atom => rangeOfAtom(atom)[0] >= 0)

/**
 * The dimension with each operand of a minimum, maximum or choice in its place: it is no less than the least of `all` of
 * them, or than any; undefined where there is none.
 */
function choicesOf(dim: Dim): { dims: Dim[]; all: boolean } | undefined {
  const terms = termsOf(dim)
  for (const [i, { factor, atoms }] of terms.entries())
    for (const [at, atom] of atoms.entries()) {
      if (atom.op !== 'min' && atom.op !== 'max' && atom.op !== 'where') continue
      const others = atoms.filter((_, other) => other !== at)
      if (!areCounts(others)) continue
      const rest = add(...terms.filter((_, other) => other !== i).map(term => ({ terms: [term] })))
      const product = { terms: [{ factor, atoms: others }] }
      const operands = atom.op === 'where' ? atom.of.slice(1) : atom.of
      const all = atom.op === 'where' || (atom.op === 'min') === factor > 0
      return { dims: operands.map(operand => add(rest, mul(product, operand))), all }
    }
  return undefined
}

/**
 * `times` the dimension or less, with a / b, or that less what the floor may take away, in the place of a floor(a / b) of
 * each term; undefined where there is none.
 */
function withoutFloors(dim: Dim): { dim: Dim; times: number } | undefined {
  const floors = termsOf(dim).map(floorOf)
  const times = floors.reduce((common, floor) => (common % (floor?.by ?? 1) === 0 ? common : common * floor!.by), 1)
  if (times === 1 || times > largestDivisor) return undefined
  const terms = termsOf(dim).map((term, i): Dim => {
    const floor = floors[i]
    if (!floor) return mul({ terms: [term] }, times)
    const product = { terms: [{ factor: (term.factor * times) / floor.by, atoms: floor.others }] }
    return mul(product, term.factor > 0 ? add(floor.dividend, 1 - floor.by) : floor.dividend)
  })
  return { dim: add(...terms), times }
}

const largestDivisor = 2 ** 20

/** The first floor(dividend / by) of a term whose other atoms are not negative. */
function floorOf({ atoms }: Term): { dividend: Dim; by: number; others: Atom[] } | undefined {
  for (const [at, atom] of atoms.entries()) {
    if (atom.op !== 'div') continue
    const [dividend, by] = atom.of
    const others = atoms.filter((_, other) => other !== at)
    if (typeof by === 'number' && by > 1 && by <= largestDivisor && areCounts(others)) return { dividend, by, others }
  }
  return undefined
}
