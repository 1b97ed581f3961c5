// The public session: names, refusals, queueing, free dimensions, memory, element types, sources.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FormatError, InferenceSession, Tensor } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, presentBackends, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder, sizeOf } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`session (seed ${baseSeed})`)
const random = new Random('session')

/** Two inputs, two outputs, free sizes. */
function twoBranches(): ModelBuilder {
  const m = new ModelBuilder(random)
  const image = m.input(['N', 3, 'H', 'W'], 'float32', [-2, 2], 'image')
  const scale = m.input(['N', 8, 1, 1], 'float32', [-2, 2], 'scale')
  const conv = m.add('Relu', [m.add('Conv', [image, m.weights([8, 3, 3, 3]), m.weights([8])], { pads: [1, 1, 1, 1] })])
  const map = m.add('Mul', [conv, scale])
  return m.output(map, m.add('GlobalAveragePool', [m.add('MaxPool', [map], { kernel_shape: [2, 2], strides: [2, 2] })]))
}

const model = twoBranches()
const bytes = model.encode()
const file = compileModel(bytes)
const sizes = { N: 2, H: 6, W: 9 }
const feedsAt = (bindings: Record<string, number>) => randomFeeds(model.inputs, random, bindings)
const load = (source: Uint8Array = file) => InferenceSession.create(source)

test('names, metadata and device', async () => {
  const session = await load()
  assert.equal(session.inputNames, ['image', 'scale'])
  assert.equal(session.outputNames, model.outputs)
  assert.equal(session.inputMetadata, [
    { name: 'image', type: 'float32', shape: ['N', 3, 'H', 'W'] },
    { name: 'scale', type: 'float32', shape: ['N', 8, 1, 1] }
  ])
  assert.is(session.device, 'wasm')
  assert.is((await InferenceSession.create(file, { executionProviders: [{ name: 'reference' }] })).device, 'reference')
  assert.is((await InferenceSession.create(file, { executionProviders: ['nothing', 'wasm'] })).device, 'wasm')
  await rejects(() => InferenceSession.create(file, { executionProviders: ['nothing'] }), /nothing.*wasm/)
})

test("outputs have the model's names, types and dims; fetches choose among them", async () => {
  const session = await load()
  const feeds = tensorsOf(feedsAt(sizes))
  const all = await session.run(feeds)
  assert.equal(Object.keys(all), model.outputs)
  assert.equal(all[model.outputs[0]].dims, [2, 8, 6, 9])
  assert.instance(all[model.outputs[0]], Tensor)
  const one = await session.run(feeds, [model.outputs[1]])
  assert.equal(Object.keys(one), [model.outputs[1]])
  assert.equal(one[model.outputs[1]].data, all[model.outputs[1]].data)
})

test('feeds that the model does not take are refused', async () => {
  const session = await load()
  const good = tensorsOf(feedsAt(sizes))
  const image = (dims: number[]) => ({ ...good, image: new Tensor('float32', new Float32Array(sizeOf(dims)), dims) })
  await rejects(() => session.run({ image: good.image }), /"scale" is missing/)
  await rejects(() => session.run({ ...good, other: good.scale }), /"other".*"image"/)
  await rejects(() => session.run(good, ['nothing']), /"nothing"/)
  await rejects(() => session.run(image([2, 3, 6])), /"image".*3 dimensions/)
  await rejects(() => session.run(image([2, 4, 6, 9])), /"image".*size 4.*axis 1/)
  await rejects(() => session.run(image([3, 3, 6, 9])), /"scale".*size 2.*axis 0/)
  await rejects(() => session.run(image([2, 3, 0, 9])), /leaves nothing of its input/)
  const ints = new Tensor('int32', new Int32Array(2 * 3 * 6 * 9), [2, 3, 6, 9])
  await rejects(() => session.run({ ...good, image: ints }), /"image" is int32.*float32/)
  assert.equal(Object.keys(await session.run(good)), model.outputs, 'still runs afterwards')
})

test('sizes that a network cannot bring together are refused', async () => {
  const m = new ModelBuilder(random)
  const [a, b] = [m.input(['N', 4, 'A']), m.input(['N', 4, 'B'])]
  const session = await load(compileModel(m.output(m.add('Add', [a, b])).encode()))
  const feed = (width: number) => new Tensor('float32', new Float32Array(4 * width).fill(1), [1, 4, width])
  assert.equal((await session.run({ [a]: feed(5), [b]: feed(5) }))[m.outputs[0]].dims, [1, 4, 5])
  await rejects(() => session.run({ [a]: feed(5), [b]: feed(7) }), /Add "add_\d+".*5.*7/)
})

test('a map too small for its windows is refused', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([1, 2, 'H', 'W'])
  const session = await load(compileModel(m.output(m.add('Conv', [x, m.weights([3, 2, 5, 5])])).encode()))
  const feed = (h: number, w: number) => ({ [x]: new Tensor('float32', new Float32Array(2 * h * w), [1, 2, h, w]) })
  assert.equal((await session.run(feed(5, 6)))[m.outputs[0]].dims, [1, 3, 1, 2])
  await rejects(() => session.run(feed(3, 6)), /./)
})

test('tensors are made as onnxruntime makes them', () => {
  const tensor = new Tensor('float32', [1, 2, 3, 4, 5, 6], [2, 3])
  assert.equal([tensor.type, tensor.size, tensor.dims], ['float32', 6, [2, 3]])
  assert.instance(tensor.data, Float32Array)
  assert.is(new Tensor(new Int32Array(3)).type, 'int32')
  assert.is(new Tensor(new Uint8Array(3)).type, 'uint8')
  assert.equal(new Tensor('int64', [1n, 2n], [2]).data, BigInt64Array.of(1n, 2n))
  assert.equal(new Tensor('bool', [true, false], [2]).data, Uint8Array.of(1, 0))
  assert.equal(tensor.reshape([3, 2]).dims, [3, 2])
  assert.throws(() => new Tensor('float32', new Float32Array(5), [2, 3]), /\[2, 3\].*5/)
  assert.throws(() => new Tensor('float32', new Float32Array(6), [-2, -3]), /dims/)
  assert.throws(() => new Tensor('complex64' as 'float32', new Float32Array(2)), /complex64/)
  assert.throws(() => new Tensor('float32', new Float64Array(2) as unknown as Float32Array), /Float32Array/)
})

test('calls at the same time never mix', async () => {
  const session = await load()
  const oracle = await Oracle.load(bytes)
  const shapes = [sizes, { N: 1, H: 4, W: 4 }, sizes, { N: 3, H: 7, W: 5 }]
  const runs = Array.from({ length: 24 }, (_, i) => feedsAt(shapes[i % shapes.length]))
  const results = await Promise.all(runs.map(feeds => session.run(tensorsOf(feeds))))
  for (const [i, feeds] of runs.entries()) assertClose(numbersOfTensors(results[i]), await oracle.run(feeds))
  await oracle.release()
})

test('a call that fails does not hold up those behind it', async () => {
  const session = await load()
  const feeds = tensorsOf(feedsAt(sizes))
  const all = await Promise.allSettled([session.run(feeds), session.run({}), session.run(feeds)])
  assert.equal(
    all.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled']
  )
})

test('inputs are neither kept nor changed', async () => {
  for (const backend of await presentBackends()) {
    const session = await InferenceSession.create(file, { executionProviders: [backend] })
    const feeds = tensorsOf(feedsAt(sizes))
    const before = Object.values(feeds).map(tensor => tensor.data.slice())
    const first = numbersOfTensors(await session.run(feeds))
    Object.values(feeds).forEach((tensor, i) => {
      assert.equal(tensor.data, before[i])
      tensor.data.fill(7 as never)
    })
    assert.not.equal(numbersOfTensors(await session.run(feeds)), first)
    Object.values(feeds).forEach((tensor, i) => {
      tensor.data.set(before[i] as never)
    })
    assert.equal(numbersOfTensors(await session.run(feeds)), first)
  }
})

test('results stay what they are when the session runs again', async () => {
  const session = await load()
  const result = await session.run(tensorsOf(feedsAt(sizes)))
  const copy = numbersOfTensors(result)[model.outputs[0]].data
  const kept = Array.from(copy)
  await session.run(tensorsOf(feedsAt(sizes)))
  assert.equal(Array.from(result[model.outputs[0]].data as Float32Array), kept)
})

test('free dimensions may grow, shrink and come back', async () => {
  const session = await load()
  const [first, larger, smaller] = [sizes, { N: 5, H: 31, W: 40 }, { N: 1, H: 2, W: 2 }].map(feedsAt)
  const before = await session.run(tensorsOf(first))
  await session.run(tensorsOf(larger))
  await session.run(tensorsOf(smaller))
  assert.equal(numbersOfTensors(await session.run(tensorsOf(first))), numbersOfTensors(before))
  const most = session.memoryBytes
  for (const feeds of [larger, smaller, first, larger]) await session.run(tensorsOf(feeds))
  assert.is(session.memoryBytes, most, 'no memory is added for a size that has been run before')
})

test('a model of fixed sizes takes all its memory when it loads', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([4, 3, 40, 40])
  m.output(m.add('Conv', [m.add('Conv', [x, m.weights([64, 3, 3, 3])]), m.weights([16, 64, 3, 3])]))
  const session = await load(compileModel(m.encode()))
  const loaded = session.memoryBytes
  assert.ok(loaded > 4 * 64 * 38 * 38 * 4, `${loaded} bytes`)
  for (let i = 0; i < 5; i++) await session.run(tensorsOf(randomFeeds(m.inputs, random)))
  assert.is(session.memoryBytes, loaded)
})

test('release', async () => {
  const session = await load()
  const feeds = tensorsOf(feedsAt(sizes))
  const running = session.run(feeds)
  await session.release()
  assert.equal(Object.keys(await running), model.outputs, 'a call before the release ends')
  assert.is(session.memoryBytes, 0)
  await rejects(() => session.run(feeds), /released/)
  await session.release()
})

test('half precision in and out', async () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 5], 'float16')
  m.output(m.add('Mul', [x, m.constant({ dtype: 'float16', dims: [5], data: [1, -2, 0.5, 4, -0.25] })]))
  const session = await load(compileModel(m.encode()))
  const feeds = randomFeeds(m.inputs, random, { N: 3 })
  const result = (await session.run(tensorsOf(feeds)))[m.outputs[0]]
  assert.is(result.type, 'float16')
  assert.instance(result.data, Uint16Array)
  // Powers of two: exact in half precision.
  const expected = Array.from(feeds[x].data, (value, i) => value * [1, -2, 0.5, 4, -0.25][i % 5])
  assert.equal(Array.from(numbersOfTensors({ y: result }).y.data), expected)
})

test('ONNX bytes load where the compiler is', async () => {
  const [direct, compiled] = [await load(bytes), await load()]
  const feeds = tensorsOf(feedsAt(sizes))
  assert.equal(numbersOfTensors(await direct.run(feeds)), numbersOfTensors(await compiled.run(feeds)))
})

test('what is no model is refused', async () => {
  await rejects(() => load(new Uint8Array(0)), /./, Error)
  await rejects(
    () => load(new TextEncoder().encode('<!doctype html><html></html>')),
    /not an ONNX model|not a .cairn file/,
    Error
  )
  await rejects(() => load(file.slice(0, 100)), /truncated/, FormatError)
})

test('from an ArrayBuffer, a Response and a URL, with progress and a signal', async () => {
  const expected = numbersOfTensors(await (await load()).run(tensorsOf(feedsAt(sizes))))
  const names = Object.keys(expected)
  const copy = file.slice()
  assert.equal((await InferenceSession.create(copy.buffer)).outputNames, names)
  assert.equal((await InferenceSession.create(new Response(copy))).outputNames, names)
  await rejects(() => InferenceSession.create(new Response('none', { status: 404 })), /404/)

  const server = createServer((request, response) => {
    if (request.url !== '/model.cairn') return response.writeHead(404).end()
    response.writeHead(200, { 'content-length': file.length })
    response.write(file.slice(0, 500))
    return setTimeout(() => response.end(file.slice(500)), 5)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.cairn`
  try {
    const progress: [number, number][] = []
    const session = await InferenceSession.create(url, {
      onProgress: (loaded, total) => progress.push([loaded, total])
    })
    assert.equal(session.outputNames, names)
    assert.equal(progress.at(-1), [file.length, file.length])
    assert.ok(progress.every(([loaded], i) => i === 0 || loaded > progress[i - 1][0]))
    assert.equal((await InferenceSession.create(new URL(url))).outputNames, names)
    await rejects(() => InferenceSession.create(`${url}x`), /404/)
    const stopped = AbortSignal.abort(new Error('stopped'))
    await rejects(() => InferenceSession.create(url, { signal: stopped }), /stopped/, Error)
    await rejects(() => InferenceSession.create(file, { signal: stopped }), /stopped/, Error)
  } finally {
    server.close()
  }
})

test.run()
