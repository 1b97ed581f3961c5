import { copyUnless } from '../elementwise/elementwise.js'
import { intsOf, type Op } from '../op.js'

/** The same memory with another size of an axis: of what is counted all the room, or of the room as much as there is. */
const roomOf: Op = {
  required: 2,
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = intsOf(node, 1, 'shape')!
  },
  behind: () => 'anything',
  alias: (node, view) => [{ ...view, shape: node.output.shape }],
  lower(node, to) {
    copyUnless(node, to, { ...to.view(node.inputs[0]!), shape: node.output.shape }, node.output)
  }
}

export const rooms: Record<string, Op> = { Room: roomOf }
