/**
 * Dimensions that may stay symbolic: a number, or a polynomial over the model's free dimensions (`N`, `H`, `W`) and
 * over floor divisions, minima, maxima and scalings of such polynomials. Equal polynomials have equal text, so two
 * dimensions are provably the same exactly when `show` prints the same. The compiler builds them (compiler/dim.ts);
 * the runtime only evaluates them.
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
  | { readonly op: 'div' | 'min' | 'max'; readonly a: Dim; readonly b: Dim }
  | { readonly op: 'scale'; readonly a: Dim; readonly by: number }

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
  const a = evaluate(atom.a, bindings)
  // A scale is stored in float32, as ONNX stores it; the tolerance keeps floor(14 * 2.0000001) at 28.
  if (atom.op === 'scale') return Math.floor(Math.fround(a * atom.by) + 1e-6)
  const b = evaluate(atom.b, bindings)
  return atom.op === 'div' ? Math.floor(a / b) : atom.op === 'min' ? Math.min(a, b) : Math.max(a, b)
}

/** The names of the free dimensions in `dim`. */
export function freeNamesOf(dim: Dim, names = new Set<string>()): Set<string> {
  if (typeof dim === 'number') return names
  for (const { atoms } of dim.terms)
    for (const atom of atoms) {
      if (atom.op === 'free') names.add(atom.name)
      else {
        freeNamesOf(atom.a, names)
        if (atom.op !== 'scale') freeNamesOf(atom.b, names)
      }
    }
  return names
}

/** The free dimension that `dim` is, and nothing else. */
export function freeName(dim: Dim): string | undefined {
  if (typeof dim === 'number' || dim.terms.length !== 1) return undefined
  const [{ factor, atoms }] = dim.terms
  const [atom] = atoms
  return factor === 1 && atoms.length === 1 && atom.op === 'free' ? atom.name : undefined
}

/** Canonical text, for example `N*3*H` or `floor((H+1)/2)`. */
export function show(dim: Dim): string {
  if (typeof dim === 'number') return String(dim)
  const text = dim.terms
    .map(({ factor, atoms }) => {
      const product = atoms.map(showAtom).join('*')
      if (!product) return String(factor)
      return factor === 1 ? product : factor === -1 ? `-${product}` : `${factor}*${product}`
    })
    .join('+')
    .replaceAll('+-', '-')
  return text
}

export function showAtom(atom: Atom): string {
  if (atom.op === 'free') return atom.name
  if (atom.op === 'scale') return `floor((${show(atom.a)})*${atom.by})`
  if (atom.op === 'div') return `floor((${show(atom.a)})/${typeof atom.b === 'number' ? atom.b : `(${show(atom.b)})`})`
  return `${atom.op}(${show(atom.a)},${show(atom.b)})`
}

export function showShape(shape: readonly Dim[]): string {
  return `[${shape.map(show).join('×')}]`
}
