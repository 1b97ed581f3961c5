/**
 * Dimensions that may stay symbolic: a number, or a polynomial over the model's free dimensions (`N`, `H`, `W`) and
 * over what a model computes of such polynomials: floor divisions, minima, comparisons, and single-precision arithmetic
 * step by step. Equal polynomials have equal text, so two dimensions are provably the same exactly when `show` prints the
 * same. The compiler builds them (compiler/algebra/dim.ts, real.ts); the runtime only evaluates them.
 */
export type Dim = number | Poly

export interface Poly {
  readonly terms: readonly Term[]
}

export interface Term {
  readonly factor: number
  readonly atoms: readonly Atom[]
}

export type Atom =
  /** With `most` it is what only a run finds, at most so much; no file has such ones. */
  | { readonly op: 'free'; readonly name: string; readonly most?: Dim }
  | { readonly op: Operation; readonly of: readonly Dim[] }

/**
 * What an atom makes of its operands, in double precision: as many as the function has. `div` is floor division; `f32`
 * rounds to single precision, `f64` keeps a number as it is but apart from the algebra around it; `round` takes halves to
 * the even neighbour.
 */
export const operations = {
  div: (a: number, b: number) => Math.floor(a / b),
  min: (a: number, b: number) => Math.min(a, b),
  max: (a: number, b: number) => Math.max(a, b),
  less: (a: number, b: number) => Number(a < b),
  equal: (a: number, b: number) => Number(a === b),
  where: (c: number, a: number, b: number) => (c ? a : b),
  over: (a: number, b: number) => a / b,
  floor: (a: number) => Math.floor(a),
  trunc: (a: number) => Math.trunc(a),
  round: (a: number) => halfToEven(a),
  sqrt: (a: number) => Math.sqrt(a),
  f32: (a: number) => Math.fround(a),
  f64: (a: number) => a
} satisfies Record<string, (...operands: number[]) => number>

export type Operation = keyof typeof operations

function halfToEven(a: number): number {
  const up = Math.round(a)
  return up - a === 0.5 && up % 2 !== 0 ? up - 1 : up
}

/** A value for each free dimension. */
export type Bindings = Readonly<Record<string, number>>

/** The number that `dim` is under `bindings`. Throws RangeError when a free dimension has no value. */
export function evaluate(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim
  let sum = 0
  for (const { factor, atoms } of dim.terms) {
    let product = factor
    for (const atom of atoms) product *= evaluateAtom(atom, bindings)
    sum += product
  }
  return sum
}

function evaluateAtom(atom: Atom, bindings: Bindings): number {
  if (atom.op === 'free') {
    const value = bindings[atom.name]
    if (value === undefined) throw new RangeError(`free dimension ${atom.name} has no value`)
    return value
  }
  const compute: (...operands: number[]) => number = operations[atom.op]
  return compute(...atom.of.map(operand => evaluate(operand, bindings)))
}

/** The names of the free dimensions in `dim`. */
export function freeNamesOf(dim: Dim, names = new Set<string>()): Set<string> {
  if (typeof dim === 'number') return names
  for (const { atoms } of dim.terms)
    for (const atom of atoms) {
      if (atom.op === 'free') names.add(atom.name)
      else for (const operand of atom.of) freeNamesOf(operand, names)
    }
  return names
}

/** The one atom that `dim` is, and nothing else. */
export function atomOf(dim: Dim): Atom | undefined {
  if (typeof dim === 'number' || dim.terms.length !== 1) return undefined
  const [{ factor, atoms }] = dim.terms
  return factor === 1 && atoms.length === 1 ? atoms[0] : undefined
}

/** The free dimension that `dim` is, and nothing else. */
export function freeName(dim: Dim): string | undefined {
  const atom = atomOf(dim)
  return atom?.op === 'free' ? atom.name : undefined
}

const texts = new WeakMap<Poly, string>()

/** Canonical text, for example `N*3*H` or `floor((H+1)/2)`. */
export function show(dim: Dim): string {
  if (typeof dim === 'number') return String(dim)
  const known = texts.get(dim)
  if (known !== undefined) return known
  const text = dim.terms
    .map(({ factor, atoms }) => {
      const product = atoms.map(showAtom).join('*')
      if (!product) return String(factor)
      return factor === 1 ? product : factor === -1 ? `-${product}` : `${factor}*${product}`
    })
    .join('+')
    .replaceAll('+-', '-')
  texts.set(dim, text)
  return text
}

/** Names that could be taken for arithmetic stand in quotes. */
const isPlain = (name: string) => /^[\p{L}_][\p{L}\p{N}_.:#]*$/u.test(name)

export function showAtom(atom: Atom): string {
  if (atom.op === 'free') return isPlain(atom.name) ? atom.name : JSON.stringify(atom.name)
  if (atom.op !== 'div') return `${atom.op}(${atom.of.map(show).join(',')})`
  const [a, b] = atom.of
  return `floor((${show(a)})/${typeof b === 'number' ? b : `(${show(b)})`})`
}

export function showShape(shape: readonly Dim[]): string {
  return `[${shape.map(show).join('×')}]`
}
