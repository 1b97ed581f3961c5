// Parallel sessions: a batch split among workers gives what a session gives for each part.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InferenceSession, ParallelSession, Tensor } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose, sameBits } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`parallel (seed ${baseSeed})`)
const random = new Random('parallel')

/** Two inputs and two outputs of a common batch; one output of integers. */
function model(): ModelBuilder {
  const m = new ModelBuilder(random)
  const image = m.input(['N', 3, 8, 'W'], 'float32', [-2, 2], 'image')
  const scale = m.input(['N', 6, 1, 1], 'float32', [-2, 2], 'scale')
  const map = m.add('Mul', [m.add('Conv', [image, m.weights([6, 3, 3, 3])]), scale])
  return m.output(map, m.add('ArgMax', [m.add('GlobalAveragePool', [map])], { axis: 1 }))
}

const built = model()
const file = compileModel(built.encode())
const feedsOf = (images: number) => tensorsOf(randomFeeds(built.inputs, random, { N: images, W: 9 }))

test('batches of any size come back whole and in order', async () => {
  const single = await InferenceSession.create(file)
  const session = await ParallelSession.create(file, { workers: 3 })
  assert.is(session.workers, 3)
  assert.equal(session.inputNames, single.inputNames)
  assert.equal(session.outputNames, single.outputNames)
  for (const images of [1, 2, 3, 7]) {
    const feeds = feedsOf(images)
    const results = await session.run(feeds)
    assertClose(numbersOfTensors(results), numbersOfTensors(await single.run(feeds)))
    for (const [name, { type, dims }] of Object.entries(results)) {
      assert.is(type, name === built.outputs[0] ? 'float32' : 'int64')
      assert.is(dims[0], images)
    }
  }
  const one = await session.run(feedsOf(2), [built.outputs[1]])
  assert.equal(Object.keys(one), [built.outputs[1]])
  await Promise.all([session.release(), single.release()])
})

test('a part is what a session computes of it, to the bit', async () => {
  const single = await InferenceSession.create(file)
  const session = await ParallelSession.create(file, { workers: 2 })
  const feeds = feedsOf(5)
  const results = await session.run(feeds)
  const part = (from: number, to: number) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => {
        const each = data.length / dims[0]
        return [name, new Tensor(type, data.slice(from * each, to * each), [to - from, ...dims.slice(1)])]
      })
    )
  const parts = [await single.run(part(0, 2)), await single.run(part(2, 5))]
  for (const [name, { data }] of Object.entries(results)) {
    const [a, b] = parts.map(results => results[name].data)
    assert.ok(sameBits(data.slice(0, a.length), a), name)
    assert.ok(sameBits(data.slice(a.length), b), name)
  }
  await Promise.all([session.release(), single.release()])
})

test('calls at the same time never mix, and inputs stay as they are', async () => {
  const single = await InferenceSession.create(file)
  const session = await ParallelSession.create(file)
  assert.is(session.workers, 2)
  const feeds = Array.from({ length: 20 }, (_, i) => feedsOf(1 + (i % 3)))
  const before = feeds.map(({ image }) => image.data.slice())
  const results = await Promise.all(feeds.map(feed => session.run(feed)))
  for (const [i, feed] of feeds.entries()) {
    assert.equal(feed.image.data, before[i])
    assertClose(numbersOfTensors(results[i]), numbersOfTensors(await single.run(feed)))
  }
  await Promise.all([session.release(), single.release()])
})

test('what cannot be run or split is refused, and later runs go on', async () => {
  const session = await ParallelSession.create(file)
  const feeds = feedsOf(3)
  await rejects(() => session.run({ image: feeds.image }), /"scale" is missing/)
  await rejects(() => session.run({ ...feeds, scale: feedsOf(2).scale }), /3 and 2 images/)
  await rejects(() => session.run({ ...feeds, scale: [1] as unknown as Tensor }), /"scale" is not a Tensor/)
  await rejects(() => session.run(feeds, ['nothing']), /"nothing"/)
  assert.equal(Object.keys(await session.run(feeds)), built.outputs)
  const running = session.run(feeds)
  const released = session.release()
  await rejects(() => session.run(feeds), /released/)
  await released
  assert.equal(Object.keys(await running), built.outputs, 'a call before the release ends')
  await rejects(() => session.run(feeds), /released/)

  for (const workers of [0, -1, 1.5, 65])
    await rejects(() => ParallelSession.create(file, { workers }), /^workers .* from 1 to 64 is allowed$/)
  const m = new ModelBuilder(random)
  const fixed = compileModel(m.output(m.add('Relu', [m.input([2, 3])])).encode())
  await rejects(() => ParallelSession.create(fixed), /cannot be split; the same free first dimension/)
  const damaged = file.slice()
  damaged[damaged.length - 20] ^= 1
  await rejects(() => ParallelSession.create(damaged), /digest/)
})

test.run()
