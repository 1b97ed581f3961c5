// The passes: a text snapshot of what each makes of a small graph, and the same outputs with any of them left out.
// `npm run snapshots` writes the snapshots anew.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { importOnnx } from '../../compiler/onnx/read.js'
import { passes, required } from '../../compiler/passes/list.js'
import { print } from '../../compiler/passes/print.js'
import { verify } from '../../compiler/passes/verify.js'
import { zoo } from '../../models/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, Runner, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { randomNetwork } from '../support/network/random-graph.js'
import { feedsFor, noise } from '../support/network/verify.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { steadyFeeds } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { checkSnapshot } from '../support/snapshots.js'
import { graphs } from './passes/graphs.js'

const model = (name: string) => {
  const builder = new ModelBuilder(new Random(name, 1))
  return builder.output(...graphs[name](builder))
}

const snapshots = suite('snapshots of the passes')
snapshots('every pass has a graph', () => {
  assert.equal(Object.keys(graphs).sort(), passes.map(pass => pass.name).sort())
})

for (const { name } of passes) {
  if (!graphs[name]) continue
  snapshots(name, () => {
    const graph = importOnnx(model(name).encode())
    for (const pass of passes) {
      const before = print(graph)
      const did = pass.run(graph)
      verify(graph, pass.name)
      if (pass.name !== name) continue
      assert.ok(did, 'the pass finds nothing to do')
      checkSnapshot('compiler/passes', name, `${before}\n${name}: ${did}\n\n${print(graph)}`)
      return
    }
  })

  snapshots(`${name}: the graph gives what onnxruntime gives`, async () => {
    const builder = model(name)
    const feeds = randomFeeds(builder.inputs, new Random(`feeds ${name}`), { N: 2, H: 4 })
    const oracle = await Oracle.load(builder.encode())
    const runner = await Runner.load(compileModel(builder.encode()))
    assertClose(await runner.run(feeds), await oracle.run(feeds))
    await oracle.release()
    await runner.release()
  })
}
snapshots.run()

const optional = passes.map(pass => pass.name).filter(name => !required.has(name))
/** Each pass on its own, and all of them. */
const choices = [...optional.map(name => [name]), optional]

const without = suite(`passes left out (seed ${baseSeed})`)
for (let i = 0; i < 12; i++) {
  const seed = (baseSeed + 104729 * i) % 2 ** 31
  without(`random network ${seed}`, async () => {
    const { model: network, bindings } = randomNetwork(seed)
    const bytes = network.encode()
    const feeds = await steadyFeeds(network, bindings, new Random('without', seed))
    const complete = await Runner.load(compileModel(bytes))
    const expected = []
    for (const feed of feeds) expected.push(await complete.run(feed))
    for (const choice of choices) {
      const runner = await Runner.load(compileModel(bytes, { without: choice }))
      for (const [j, feed] of feeds.entries()) {
        try {
          assertClose(await runner.run(feed), expected[j])
        } catch (error) {
          throw new Error(`without ${choice}: ${(error as Error).message}; network of CAIRN_RANDOM_SEED=${seed}`)
        }
      }
      await runner.release()
    }
    await complete.release()
  })
}

for (const name of ['lenet5', 'resnet20-cifar', 'mobilenet-v3-small'])
  without(`zoo ${name}`, async () => {
    const bytes = zoo[name].build()
    const complete = await InferenceSession.create(compileModel(bytes))
    const feeds = tensorsOf(feedsFor(complete, { batch: 2 }, new Random(name), noise))
    const expected = numbersOfTensors(await complete.run(feeds))
    for (const choice of choices) {
      const session = await InferenceSession.create(compileModel(bytes, { without: choice }))
      assertClose(numbersOfTensors(await session.run(feeds)), expected)
      await session.release()
    }
    await complete.release()
  })
without.run()
