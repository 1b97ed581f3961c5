import { same, sameShape } from '../algebra/index.js'
import type { Graph, Node, Value } from '../graph/index.js'
import { Writer } from '../infer/index.js'

/** What a rule writes with. */
export class Tape extends Writer {
  constructor(
    graph: Graph,
    stem: string,
    /** Whether a gradient is wanted of a value, itself or for one that it is computed from. */
    readonly needs: (value: Value | undefined) => boolean
  ) {
    super(graph, `${stem}.gradient`)
  }

  /** A gradient as its operand had it before it was broadcast. */
  unbroadcast(gradient: Value, to: Value): Value {
    if (sameShape(gradient.shape, to.shape)) return gradient
    const skipped = gradient.rank - to.rank
    const axes = gradient.shape
      .map((_, axis) => axis)
      .filter(axis => axis < skipped || (to.shape[axis - skipped] === 1 && !same(gradient.shape[axis], 1)))
    const sum = axes.length ? this.add('ReduceSum', [gradient], { axes, keepdims: 1 }) : gradient
    return sameShape(sum.shape, to.shape) ? sum : this.reshape(sum, to.shape)
  }

  /** The value spread to a shape that it broadcasts to. */
  expand(value: Value, like: Value): Value {
    return sameShape(value.shape, like.shape) ? value : this.add('Expand', [value, this.sizes(like.shape)])
  }
}

/**
 * Gradients of an operator's inputs, as many as it has; undefined where there is none. `gradients` has one entry an output,
 * undefined where nothing depends on it.
 */
export type Rule = (node: Node, gradients: readonly (Value | undefined)[], tape: Tape) => readonly (Value | undefined)[]
