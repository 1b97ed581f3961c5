// Loops that cannot be unrolled, each with what the message has to name.
import type { ModelBuilder } from '../../support/onnx/model.js'
import { bad, image, type Malformed } from './malformed.js'

const looping = (m: ModelBuilder) =>
  m.body([{ dtype: 'int64', dims: [] }, { dtype: 'bool', dims: [] }, { dtype: 'float32' }], (inner, _, more, state) => [
    inner.add('Identity', [more]),
    inner.add('Neg', [state]),
    inner.add('Abs', [state])
  ])

export const endless: readonly Malformed[] = [
  bad(
    'a trip count that only a run knows',
    /Loop "loop_\d+": trip count "x_\d+" is known only when it runs.*--shape/,
    m => m.add('Loop', [m.input([], 'int64'), undefined, image(m)], { body: looping(m) })
  ),
  bad('a loop that a result ends', /Loop "loop_\d+": condition "x_\d+" is known only when it runs/, m =>
    m.add('Loop', [m.ints([3]), m.input([], 'bool'), image(m)], { body: looping(m) })
  ),
  bad('a loop without an end', /Loop "loop_\d+": makes, with the loops before it, more nodes than are allowed/, m =>
    m.add('Loop', [undefined, m.constant({ dtype: 'bool', dims: [], data: [1] }), image(m)], { body: looping(m) })
  ),
  bad(
    'no trip and something to stack',
    /Loop "loop_\d+": makes no trip, which leaves "loop_\d+_1" without a shape/,
    m => m.addMany('Loop', [m.ints([0]), undefined, image(m)], 2, { body: looping(m) })[1]
  ),
  bad('a Scan through a free size', /Scan "scan_\d+": the number of its trips, a free size, is known only when/, m =>
    m.add('Scan', [image(m), m.input(['N', 3])], {
      num_scan_inputs: 1,
      body: m.body([{ dtype: 'float32' }, { dtype: 'float32' }], (inner, state, row) => [
        state,
        inner.add('Abs', [row])
      ])
    })
  )
]
