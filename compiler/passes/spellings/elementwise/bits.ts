import { widthsOf } from '../../../ops/index.js'
import type { Rewrite } from '../rewrite.js'

/** By powers of two, which lose no bit of a float: to the right what is left is rounded down, to the left what does not fit is taken off. */
export const bitShift: Rewrite = (write, node) => {
  const { dtype } = node.output
  const [x, places] = node.inputs.map(input => write.add('Cast', [input], { to: 'float32' }))
  if (node.text('direction', '') === 'RIGHT') {
    const parts = write.add('ScaleByPower', [x, write.add('Neg', [places])])
    return write.add('Cast', [write.add('Floor', [parts])], { to: dtype, whole: 1 })
  }
  const moved = write.add('ScaleByPower', [x, places])
  const range = 2 ** widthsOf[dtype]!
  const over = write.add('Floor', [write.add('Mul', [moved, write.scalar(1 / range)])])
  const left = write.add('Sub', [moved, write.add('Mul', [over, write.scalar(range)])])
  return write.add('Cast', [left], { to: dtype, whole: 1 })
}
