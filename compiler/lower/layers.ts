import { type Bindings, evaluate } from '../../runtime/file/index.js'
import { type Graph, isConstant, type Node } from '../graph/index.js'
import { ops } from '../ops/index.js'

/** A node as it is lowered, behind all passes. */
export interface LayerInfo {
  /** What calls of kernels are named after. */
  readonly node: string
  /** The operator, which passes may have changed. */
  readonly operator: string
  /** Shapes of what it reads, constants aside, of its weights, and of what it gives. */
  readonly inputs: readonly (readonly number[])[]
  /** Shape of the largest constant; undefined without one. */
  readonly weights: readonly number[] | undefined
  /** Shape of the result. */
  readonly output: readonly number[]
  /** Multiply-accumulates. */
  readonly macs: number
}

/** Figures are for `dims`, the values of free dimensions (1 where none is given). */
export function layerInfos(graph: Graph, free: readonly string[], dims: Bindings = {}): LayerInfo[] {
  const bindings = { ...Object.fromEntries(free.map(name => [name, 1])), ...dims }
  const sizes = ({ shape }: Node['output']) => shape.map(dim => evaluate(dim, bindings))
  return graph.nodes.map(node => {
    const given = node.inputs.filter(input => input !== undefined)
    const weights = given.filter(isConstant).sort((a, b) => b.data.length - a.data.length)[0]
    return {
      ...{ node: node.name, operator: node.op, output: sizes(node.output) },
      inputs: given.filter(input => !isConstant(input)).map(sizes),
      weights: weights && weights.data.length > 1 ? sizes(weights) : undefined,
      macs: evaluate(ops[node.op].macs?.(node) ?? 0, bindings)
    }
  })
}
