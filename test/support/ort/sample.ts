import { ModelBuilder } from '../onnx/model.js'
import { Oracle, randomFeeds } from '../onnx/oracle.js'
import type { Random } from '../random.js'

/** A model of one input, what it is given, and what onnxruntime-node makes of that. */
export async function sample(random: Random) {
  const m = new ModelBuilder(random)
  const input = m.input([1, 3, 9, 7])
  m.output(m.add('Relu', [m.add('Conv', [input, m.weights([8, 3, 3, 3])])]))
  const model = m.encode()
  const feeds = randomFeeds(m.inputs, random)
  return { model, input, feeds, expected: await (await Oracle.load(model)).run(feeds) }
}
