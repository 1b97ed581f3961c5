import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { broadcastStrides, fields, kernel, type Lowering, loopsOver, numbered, type Op, type View } from '../op.js'
import { loopDepth, visit } from '../visit.js'

/** Any function of a byte is a table. */

/** y = table[x], bytes, over any strides. The table has 128 taken off its entries. */
export const lookupKernel = kernel({
  name: 'lookup',
  fields: { ...fields('d', loopDepth), ...fields('x', loopDepth, 'i32'), ...fields('y', loopDepth, 'i32') },
  buffers: { x: 'read', table: 'read', y: 'write' },
  reference(p, { x, table, y }) {
    // A reversing slice steps backwards, to before the view's own beginning.
    const memory = new Float64Array(x.buffer)
    const base = x.byteOffset / 8
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const from = i[0] * p.x0 + i[1] * p.x1 + i[2] * p.x2 + i[3] * p.x3 + i[4] * p.x4 + i[5] * p.x5
      const to = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      y[to] = table[memory[base + from]] + 128
    })
  }
})

/** Emits y = table[x] between two views of bytes of one shape; the plain copy by default. */
export function emitLookup(to: Lowering, node: Node, x: View, y: View, table?: readonly number[]): void {
  const loops = loopsOver(y.shape, y.order, [broadcastStrides(x, y.shape), y.strides], loopDepth)
  if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
  const entries = table ?? Array.from({ length: 256 }, (_, i) => i)
  const shifted = () => Float32Array.from(entries, entry => entry - 128)
  to.call(
    lookupKernel,
    { ...numbered('d', loops.sizes), ...numbered('x', loops.strides[0]), ...numbered('y', loops.strides[1]) },
    { x, y, table: to.constant(table ? `table ${table}` : 'table', shifted, undefined, 'i8') }
  )
}

/** A function of the input's bytes as the quantise pass tabulates it. */
export const lookup: Op = {
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = 'uint8'
    node.output.narrow = true
  },
  inPlace: [0],
  lower(node, to) {
    emitLookup(to, node, to.view(node.inputs[0]!), to.view(node.output), node.list('table'))
  }
}
