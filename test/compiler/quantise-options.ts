// What the quantiser is told and tells: bits of weights, lists of feeds, notes.
import ort from 'onnxruntime-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile, type Feed, quantise } from '../../compiler/index.js'
import { mobile } from '../support/network/mobile.js'
import { draws, outputsOf, relative } from '../support/network/quantised-outputs.js'
import { decodeModel, ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`options of quantise (seed ${baseSeed})`)

test('weights of 7 bits stay within 64, and onnxruntime sums them exactly on any processor', async () => {
  const random = new Random('seven bits')
  const m = mobile(random, 17)
  const calibrate = draws(m, random, 3, { N: 1 })
  const model = await quantise(m.encode(), { calibrate, weightBits: 7 })
  const { node, initializer } = decodeModel(model).graph!
  const weights = initializer!.filter(({ dataType, dims }) => dataType === 3 && dims!.length > 1)
  assert.is(weights.length, node!.filter(({ opType }) => opType === 'Conv' || opType === 'Gemm').length)
  const largest = weights.map(({ rawData }) => Math.max(...Int8Array.from(rawData!).map(Math.abs)))
  assert.ok(
    largest.every(most => most === 64),
    String(largest)
  )
  const file = await compile(m.encode(), { weights: 'int8', calibrate, weightBits: 7 })
  assert.equal(file, await compile(model))
  const [feeds] = draws(m, random, 1, { N: 2 })
  const session = await ort.InferenceSession.create(model)
  const [{ name, dims }] = m.inputs
  const given = Float32Array.from(feeds[name].data)
  const results = await session.run({ [name]: new ort.Tensor('float32', given, [2, ...(dims.slice(1) as number[])]) })
  const { data } = (await outputsOf(file, feeds))[m.outputs[0]]
  assert.ok(relative(data, results[m.outputs[0]].data as Float32Array) < 0.02)
  await rejects(
    () => quantise(m.encode(), { calibrate, weightBits: 4 as 7 }),
    /^weightBits 4; 7 and 8 are allowed$/,
    CompileError
  )
})

test('feeds may come one after the other; what is no list of feeds is told with an example', async () => {
  const random = new Random('lists')
  const m = mobile(random, 17)
  const feeds = draws(m, random, 3, { N: 1 })
  async function* later(): AsyncGenerator<Feed> {
    for (const feed of feeds) yield await Promise.resolve(feed)
  }
  assert.equal(await quantise(m.encode(), { calibrate: later() }), await quantise(m.encode(), { calibrate: feeds }))
  const [{ name }] = m.inputs
  const list = `a list of what each run is given is allowed, as [{ "${name}": tensor }], or a number of scenes`
  const tensor = feeds[0][name]
  for (const [given, what] of [
    [feeds[0], 'one object'],
    [tensor, 'one tensor'],
    [tensor.data, 'a Float(32|64)?Array|one object'],
    ['photos/', 'the text "photos/"'],
    [null, 'null']
  ] as const)
    await rejects(
      () => quantise(m.encode(), { calibrate: given as unknown as Feed[] }),
      new RegExp(`^calibrate is (${what}); ${list.replace(/[[\]{}]/g, '\\$&')}$`),
      CompileError
    )
  const one = (each: unknown) => () => quantise(m.encode(), { calibrate: [each as Feed] })
  const example =
    /^calibration data: input "x.*" is no tensor; a Tensor or \{ dims: \[1, 3, 16, 16\], data \} is allowed$/
  await rejects(one({ [name]: new Float32Array(768) }), example, CompileError)
  await rejects(one({ [name]: { dims: [1, 3, 16, 16] } }), example, CompileError)
  await rejects(one(null), /^calibration data: input "x.*" is missing$/, CompileError)
})

test('a budget that leaves hardly a layer on bytes is told of', async () => {
  const random = new Random('hardly')
  const m = mobile(random, 17)
  const notes: string[] = []
  const options = { calibrate: draws(m, random, 2, { N: 1 }), onNote: (note: string) => notes.push(note) }
  await quantise(m.encode(), { ...options, budget: 0 })
  assert.match(notes.join(), /^the budget of 0 leaves 0 of 3 layers on bytes; weights alone in 8 bits/)
  await quantise(m.encode(), { ...options, budget: 1 })
  assert.is(notes.length, 1)
})

test('where outputs are far off and keeping a few layers float does not help, a note says so', async () => {
  const random = new Random('cancelling')
  const m = new ModelBuilder(random, 17)
  const x = m.input([1, 4, 6, 6])
  // Four sums of two layers that nearly cancel: bytes leave little of any, and two layers in floats mend at most one.
  const sums = Array.from({ length: 4 }, () => {
    const weights = random.values(3 * 4 * 9)
    const layer = (data: readonly number[]) =>
      m.add('Conv', [x, m.constant({ dtype: 'float32', dims: [3, 4, 3, 3], data })])
    return m.add('Add', [layer(weights), layer(weights.map(w => -w * random.uniform(0.99, 1.01)))])
  })
  m.output(m.add('Concat', sums, { axis: 1 }))
  const notes: string[] = []
  await quantise(m.encode(), { calibrate: draws(m, random, 2), onNote: note => notes.push(note) })
  assert.match(
    notes.join(),
    /^outputs are off by [\d.e+]+ of their size on the calibration data, and keeping up to 2 of 8 layers float did not help; a budget/
  )
})

test.run()
