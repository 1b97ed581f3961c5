// Constants of many equal elements, as ConstantOfShape makes weights: a file has one of them, and every path the bits that the
// same weights written out give.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { decode } from '../../runtime/file/format.js'
import { FormatError, InferenceSession } from '../../runtime/index.js'
import { joined, split } from '../fuzz/cairn.js'
import { compileModel, numbersOfTensors, presentBackends, Runner, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Named, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { trialOf } from '../support/standalone/trial.js'

const test = suite(`equal elements (seed ${baseSeed})`)
const backends = await presentBackends()

/** A Winograd layer of 100 filters, which fill no panel, and a matrix of 45 columns; weights made by the model or written out. */
function model(isMade: boolean): ModelBuilder {
  const random = new Random('equal')
  const m = new ModelBuilder(random)
  const equal = (dims: readonly number[]) => {
    const value = random.uniform(0.001, 0.01)
    if (!isMade)
      return m.constant({ dtype: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b)).fill(value) })
    return m.add('ConstantOfShape', [m.ints(dims)], {
      value: { tensor: { dtype: 'float32', dims: [1], data: [value] } }
    })
  }
  const x = m.input([2, 40, 6, 6], 'float32', [-1, 1])
  const conv = m.add('Conv', [x, equal([100, 40, 3, 3]), m.weights([100])])
  const flat = m.add('Flatten', [m.add('Relu', [conv])])
  return m.output(m.add('Add', [m.add('MatMul', [flat, equal([1600, 45])]), m.weights([45])]))
}

const made = model(true)
const resultOf = (results: Named) => Object.values(results)[0]
const feeds = randomFeeds(made.inputs, new Random('equal feeds'))

for (const weights of ['f32', 'f16', 'int8'] as const) {
  const file = compileModel(made.encode(), { weights })
  test(`${weights}: results are those of weights written out, on every path`, async () => {
    const expected = await (await Oracle.load(made.encode())).run(feeds)
    for (const backend of backends) {
      const [own, written] = await Promise.all([
        Runner.load(file, backend),
        Runner.load(compileModel(model(false).encode(), { weights }), backend)
      ])
      const results = await own.run(feeds)
      // Values are numbered otherwise.
      assertClose({ y: resultOf(results) }, { y: resultOf(await written.run(feeds)) }, 0)
      if (weights === 'f32') assertClose(results, expected)
      await own.session.release()
      await written.session.release()
    }
    const threaded = await InferenceSession.create(file, { numThreads: 2 })
    const alone = await InferenceSession.create(file)
    const [a, b] = [await threaded.run(tensorsOf(feeds)), await alone.run(tensorsOf(feeds))]
    assertClose(numbersOfTensors(a), numbersOfTensors(b), 0)
    await threaded.release()
    await alone.release()
  })
}

test('a file and a module are as small as what differs', async () => {
  for (const weights of ['f32', 'f16'] as const) {
    const file = compileModel(made.encode(), { weights })
    const width = weights === 'f32' ? 4 : 2
    const small = decode(file).header.constants.filter(({ bytes }) => bytes === width)
    assert.equal(small.map(({ groups, rows, columns }) => groups * rows * columns).sort(), [36000, 72000])
    assert.ok(file.length < 10_000, `${file.length} bytes`)
    const { differs, bytes } = await trialOf(made.encode(), new Random('equal module'), 'plain', { weights })
    assert.is(differs, undefined)
    assert.ok(bytes.length < 50_000, `a module of ${bytes.length} bytes`)
  }
})

test('few equal elements, and many of which the last differs, are written out', () => {
  const bytesOf = (data: ArrayLike<number>) => {
    const m = new ModelBuilder(new Random('equal but one'))
    const constant = m.constant({ dtype: 'float32', dims: [data.length], data })
    const file = compileModel(m.output(m.add('Add', [m.input([2, data.length]), constant])).encode())
    return decode(file).header.constants.map(({ bytes }) => bytes)
  }
  assert.equal(bytesOf(new Float32Array(16383).fill(2)), [16383 * 4])
  assert.equal(bytesOf(new Float32Array(16384).fill(2)), [4])
  const last = new Float32Array(16384).fill(2)
  last[16383] = 2.0000002
  assert.equal(bytesOf(last), [16384 * 4])
  // -0 is another number than 0, and NaN is none.
  assert.equal(bytesOf(new Float32Array(16384).fill(0, 1).fill(-0, 0, 1)), [16384 * 4])
  assert.equal(bytesOf(new Float32Array(16384).fill(Number.NaN)), [4])
})

test('files that claim one element for what is small, or for more than memory holds, are refused', async () => {
  const lie = async (change: (section: { rows: number; columns: number; bytes: number }) => void) => {
    const parts = split(await compile(made.encode()))
    change(parts.header.constants.find(({ bytes }) => bytes === 4) as never)
    return joined(parts.header, parts.body, false)
  }
  const opened = (file: Uint8Array) => InferenceSession.create(file)
  await rejects(async () => opened(await lie(section => (section.bytes = 8))), /does not fit/, FormatError)
  await rejects(async () => opened(await lie(section => (section.columns = 1))), /does not fit|impossible/, FormatError)
  await rejects(async () => opened(await lie(section => (section.rows = 2 ** 31))), /impossible/, FormatError)
  await rejects(async () => opened(await lie(section => (section.rows = 2 ** 24))), /needs \d+ bytes; maxMemory/)
})

test.run()
