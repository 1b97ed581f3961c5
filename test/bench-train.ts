// What `npm run bench:train` times is the same training on both sides.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tfjsForTraining } from '../bench/tfjs-training.js'
import { cases } from '../bench/train-cases.js'
import { batchOf, disagreement, openCairn, openTfjs } from '../bench/train-step.js'

const test = suite('bench:train')
const tf = await tfjsForTraining()

for (const subject of cases)
  test(`${subject.name}: three steps give TensorFlow.js the same weights, and a smaller loss`, async () => {
    const batch = batchOf(subject, 3)
    const cairn = await openCairn(subject, batch)
    const initial = cairn.weights()
    const peer = await openTfjs(tf, subject, batch, cairn)
    assert.is(peer.backend, subject.unfreeze === 'all' ? 'cpu' : 'wasm')
    const error = await disagreement(cairn, peer)
    assert.ok(error < 1e-3, `weights differ by ${error}`)
    cairn.weights().forEach((weights, i) => assert.not.equal(weights, initial[i]))
    const [own, other] = [await cairn.step(), await peer.step()]
    assert.ok(Math.abs(own - other) < 1e-4 && own < Math.log(10), `losses ${own} and ${other}`)
    await cairn.release()
    await peer.release()
  })

test.run()
