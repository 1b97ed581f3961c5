// Networks with recurrent tails on every backend against onnxruntime-node.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InferenceSession } from '../../runtime/index.js'
import { compileModel, presentBackends, Runner, tensorsOf } from '../support/cairn.js'
import { assertClose, sameBits } from '../support/compare.js'
import { recogniser, voiceDetector } from '../support/network/recurrent.js'
import { type Named, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`recurrent networks (seed ${baseSeed})`)
const backends = await presentBackends()

for (const backend of backends)
  test(`a recogniser of text lines (${backend})`, async () => {
    const random = new Random('recogniser')
    const m = recogniser(random)
    const model = m.encode()
    const oracle = await Oracle.load(model)
    const runner = await Runner.load(compileModel(model), backend)
    for (const bindings of [
      { N: 1, W: 100 },
      { N: 2, W: 64 }
    ]) {
      const feeds = randomFeeds(m.inputs, random, bindings)
      assertClose(await runner.run(feeds), await oracle.run(feeds))
    }
    await runner.release()
    await oracle.release()
  })

for (const stft of [false, true])
  for (const backend of backends)
    test(`a voice detector, ${stft ? 'STFT' : 'spectrum by a convolution'}, chunk by chunk (${backend})`, async () => {
      const random = new Random('voice detector')
      const m = voiceDetector(random, stft)
      const model = m.encode()
      const [, next] = m.outputs
      const oracle = await Oracle.load(model)
      const runner = await Runner.load(compileModel(model), backend)
      let [own, wanted] = [0, 1].map((): Named[string] => ({
        dtype: 'float32',
        dims: [2, 2, 64],
        data: new Float32Array(256)
      }))
      for (let chunk = 0; chunk < 3; chunk++) {
        const { samples } = randomFeeds(m.inputs, random, { N: 2 })
        const results = await runner.run({ samples, state: own })
        const expected = await oracle.run({ samples, state: wanted })
        assertClose(results, expected)
        own = results[next]
        wanted = expected[next]
      }
      await runner.release()
      await oracle.release()
    })

test('a recogniser gives the same bits on any number of threads', async () => {
  const random = new Random('recogniser on threads')
  const m = recogniser(random)
  const file = compileModel(m.encode())
  const feeds = tensorsOf(randomFeeds(m.inputs, random, { N: 5, W: 40 }))
  const results = []
  for (const numThreads of [1, 2, 3]) {
    const session = await InferenceSession.create(file, { executionProviders: ['wasm'], numThreads })
    results.push((await session.run(feeds))[m.outputs[0]].data as Float32Array)
    await session.release()
  }
  for (const other of results.slice(1)) assert.ok(sameBits(results[0], other))
})

test.run()
