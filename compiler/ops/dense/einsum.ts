import { type Dim, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { broadcastSize } from '../broadcast.js'
import { describe, type Op } from '../op.js'

/** An equation with a label for every axis of every operand; the axes of an ellipsis are labelled by their place from the end. */
export interface Equation {
  readonly operands: readonly (readonly string[])[]
  readonly output: readonly string[]
  /** The size of each label; 1 stands for any other where operands differ. */
  readonly sizes: ReadonlyMap<string, Dim>
}

export function equationOf(node: Node): Equation {
  const text = node.text('equation', '').replaceAll(' ', '')
  const inputs = node.inputs as Value[]
  const [left, right, ...rest] = text.split('->')
  const terms = left.split(',')
  if (rest.length || terms.length !== inputs.length || !text.replaceAll('...', '').match(/^[A-Za-z,]*(->[A-Za-z]*)?$/))
    throw refuse(node, `equation "${text}" must have a term of letters for each of the ${inputs.length} operands`)
  const operands = terms.map((term, i) => labelsOf(node, term, inputs[i]))
  const sizes = new Map<string, Dim>()
  operands.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const size = inputs[i].shape[axis]
      const known = sizes.get(label) ?? 1
      const met = broadcastSize(node, known, size)
      if (met === undefined)
        throw refuse(node, `"${text}" takes ${show(known)} and ${show(size)} for one size "${label}"`)
      sizes.set(label, met)
      if (labels.indexOf(label) !== axis && typeof size !== 'number')
        throw refuse(node, `"${text}" takes the diagonal of ${describe(inputs[i])}; fixed sizes are allowed`)
    })
  )
  const output = right === undefined ? implied(operands) : resultOf(right, sizes)
  const wrong = output.find((label, i) => !sizes.has(label) || output.indexOf(label) !== i)
  if (wrong !== undefined) throw refuse(node, `"${text}" has an output "${wrong}" that no operand has, or twice`)
  return { operands, output, sizes }
}

/** A letter for each axis; those of an ellipsis are numbered from the last one on. */
function labelsOf(node: Node, term: string, operand: Value): string[] {
  const [before, behind] = term.split('...')
  const letters = [...term.replace('...', '')]
  const covered = operand.rank - letters.length
  if (covered < 0 || (behind === undefined && covered > 0) || letters.includes('.'))
    throw refuse(node, `term "${term}" does not name the axes of ${describe(operand)}`)
  return [...before, ...ellipsis(covered), ...(behind ?? '')]
}

const ellipsis = (count: number) => Array.from({ length: count }, (_, i) => `...${count - i}`)

const isOfEllipsis = (label: string) => label.startsWith('.')

const ellipsisOf = (labels: Iterable<string>) => ellipsis([...labels].filter(isOfEllipsis).length)

/** What an equation without an arrow gives: an ellipsis, then in the order of the alphabet what stands there once. */
function implied(operands: readonly (readonly string[])[]): string[] {
  const all = operands.flat()
  const once = all.filter(label => !isOfEllipsis(label) && all.indexOf(label) === all.lastIndexOf(label))
  return [...ellipsisOf(new Set(all)), ...once.sort()]
}

function resultOf(term: string, sizes: ReadonlyMap<string, Dim>): string[] {
  const [before, behind] = term.split('...')
  return behind === undefined ? [...before] : [...before, ...ellipsisOf(sizes.keys()), ...behind]
}

/** Sums of products, which the decompose pass spells as matrix products. */
const einsum: Op = {
  infer(node) {
    const { output, sizes } = equationOf(node)
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = output.map(label => sizes.get(label)!)
  }
}

export const einsums: Record<string, Op> = { Einsum: einsum }
