import { type Atom, type Dim, type Operation, type Poly, showAtom, type Term } from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'

/**
 * Sums and products of symbolic dimensions, in the canonical form that runtime/file/dims.ts describes.
 */

export function free(name: string): Dim {
  return poly({ op: 'free', name })
}

/** What nothing simplifies. */
export function atom(op: Operation, ...of: readonly Dim[]): Dim {
  return poly({ op, of })
}

/** What only a run finds: from 0 to `most` (compiler/ops/counted.ts). */
export function found(name: string, most: Dim): Dim {
  return poly({ op: 'free', name, most })
}

/** What only a run finds, of which a dimension is made. */
export function foundIn(dim: Dim): { readonly name: string; readonly most: Dim }[] {
  if (typeof dim === 'number') return []
  return dim.terms.flatMap(({ atoms }) =>
    atoms.flatMap(a =>
      a.op !== 'free' ? a.of.flatMap(foundIn) : a.most === undefined ? [] : [{ name: a.name, most: a.most }]
    )
  )
}

export const isFound = (dim: Dim) => foundIn(dim).length > 0

export function add(...dims: Dim[]): Dim {
  return normalise(dims.flatMap(termsOf))
}

export function sub(a: Dim, b: Dim): Dim {
  return add(a, negative(b))
}

export function negative(a: Dim): Dim {
  return mul(a, -1)
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

export function poly(atom: Atom): Poly {
  return { terms: [{ factor: 1, atoms: [atom] }] }
}

export function termsOf(dim: Dim): readonly Term[] {
  if (typeof dim !== 'number') return dim.terms
  return dim === 0 ? [] : [{ factor: dim, atoms: [] }]
}

/** Terms of a product, and letters of a dimension's text: sizes of real models have a few. */
const longest = 8192

/** Of a size that is needed; of one that is only computed nothing is known then. */
export class TooLong extends CompileError {}

function tooLong(): never {
  throw new TooLong(`the model has a size that takes more than ${longest} letters or terms to write down`)
}

export function normalise(terms: readonly Term[]): Dim {
  const sums = new Map<string, Term>()
  for (const { factor, atoms } of terms) {
    const sorted = atoms.length < 2 ? atoms : inOrder(atoms)
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

/** Atoms of a product by their text, conditions once: they are 1 or 0. */
function inOrder(atoms: readonly Atom[]): Atom[] {
  const sorted = atoms.map(each => ({ each, text: showAtom(each) })).sort((a, b) => (a.text < b.text ? -1 : 1))
  const isCondition = ({ op }: Atom) => op === 'less' || op === 'equal'
  return sorted
    .filter(({ each, text }, i) => !(isCondition(each) && text === sorted[i + 1]?.text))
    .map(({ each }) => each)
}
