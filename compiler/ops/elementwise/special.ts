import type { Op } from '../op.js'
import { unaryOp } from './elementwise.js'

/** What is no ordinary number. */

const asked = (op: Op): Op => ({
  ...op,
  infer(node) {
    op.infer(node)
    node.output.dtype = 'bool'
  }
})

const directions = ['detect_positive', 'detect_negative']

export const specials: Record<string, Op> = {
  IsNaN: asked(unaryOp('isNan')),
  IsInf: asked(
    unaryOp('isInf', node => {
      const [above, below] = directions.map(name => Number(node.number(name, 1) !== 0))
      return [above, below]
    })
  )
}
