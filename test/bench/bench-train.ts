// What `npm run bench:train` times is the same training on both sides.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tfjsForTraining } from '../../bench/train/tfjs-training.js'
import { cases } from '../../bench/train/train-cases.js'
import { batchOf, disagreements, openCairn, openTfjs } from '../../bench/train/train-step.js'

const test = suite('bench:train')
const tfjs = await tfjsForTraining()

for (const subject of cases)
  test(`${subject.name}: three steps give TensorFlow.js the same weights, and a smaller loss`, async () => {
    const batch = batchOf(subject, 3)
    const cairn = await openCairn(subject, batch)
    const initial = await cairn.weights()
    const peers = await openTfjs(tfjs, subject, batch, cairn)
    const errors = await disagreements(cairn, peers)
    for (const [i, weights] of (await cairn.weights()).entries()) assert.not.equal(weights, initial[i])
    const loss = await cairn.step()
    assert.ok(loss < Math.log(10), `loss ${loss}`)
    for (const [i, peer] of peers.entries()) {
      assert.ok(errors[i] < 1e-3, `${peer.backend}: weights differ by ${errors[i]}`)
      assert.ok(Math.abs((await peer.step()) - loss) < 1e-4, peer.backend)
      await peer.release()
    }
    await cairn.release()
  })

test.run()
