// Weights that stay halves in memory: which layers have them, that they change no bit, and that files which
// contradict themselves are refused. The kernel itself has its cases in ops/gemm-half.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, type CompileOptions } from '../compiler/index.js'
import { decode, encode } from '../runtime/format.js'
import { floatToHalf, halfToFloat } from '../runtime/half.js'
import { FormatError, InferenceSession } from '../runtime/index.js'
import { compileModel, tensorsOf } from './support/cairn.js'
import { sameBits } from './support/compare.js'
import { ModelBuilder } from './support/model.js'
import { randomFeeds } from './support/oracle.js'
import { baseSeed, Random } from './support/random.js'

const test = suite(`half (seed ${baseSeed})`)
const random = new Random('half')
const uncached = 2 ** 20

/** A fully connected layer whose first weight is `first`. */
function layer(inner: number, columns: number, rows = 1, first = 0.5): ModelBuilder {
  const model = new ModelBuilder(random)
  const data = [first, ...random.values(inner * columns - 1, [-1, 1])]
  const weights = model.constant({ dtype: 'float32', dims: [columns, inner], data })
  return model.output(
    model.add('Gelu', [
      model.add('Gemm', [model.input([rows, inner]), weights, model.weights([columns])], { transB: 1 })
    ])
  )
}

const kernelOf = (model: ModelBuilder, options: CompileOptions): string => {
  const { program } = build(model.encode(), options)
  const { kernel } = program.calls.find(({ node }) => node.startsWith('gemm'))!
  return program.kernels[kernel].name
}

test('layers that no cache holds keep halves, of files of halves alone', () => {
  const large = layer(uncached / 512, 512)
  assert.is(kernelOf(large, { weights: 'f16' }), 'gemmHalf')
  assert.is(kernelOf(large, {}), 'gemm')
  assert.is(kernelOf(large, { weights: 'f16', kernels: ['gemm'] }), 'gemm')
  assert.is(kernelOf(layer(uncached / 512 - 1, 512), { weights: 'f16' }), 'gemm')
})

test('weights that are no finite halves are not kept as halves', () => {
  const options: CompileOptions = { weights: 'f16', kernels: ['gemmHalf'] }
  assert.is(kernelOf(layer(3, 9, 1, 65519), options), 'gemmHalf')
  for (const first of [65520, -65520, Number.POSITIVE_INFINITY, Number.NaN])
    assert.is(kernelOf(layer(3, 9, 1, first), options), 'gemm')
})

for (const rows of [1, 2, 5])
  test(`${rows} rows have the bits of widened weights, at every number of threads`, async () => {
    const model = layer(601, 1003, rows)
    const feeds = tensorsOf(randomFeeds(model.inputs, random))
    const run = async (kernel: string, numThreads: number) => {
      const file = compileModel(model.encode(), { weights: 'f16', kernels: [kernel] })
      const session = await InferenceSession.create(file, { numThreads })
      const [result] = Object.values(await session.run(feeds))
      const memory = session.memoryBytes
      await session.release()
      return { data: result.data as Float32Array, memory }
    }
    const widened = await run('gemm', 1)
    for (const threads of [1, 2, 3]) {
      const { data, memory } = await run('gemmHalf', threads)
      assert.ok(sameBits(data, widened.data), `${threads} threads`)
      if (threads === 1) assert.ok(memory < widened.memory - 1e6, `${memory} bytes, widened ${widened.memory}`)
    }
  })

test('the file holds halves, and the reference reads them as what they are', async () => {
  const model = layer(30, 21)
  const { program, summary } = build(model.encode(), { weights: 'f16', kernels: ['gemmHalf'] })
  const kept = program.constants.findIndex(constant => constant.kept === 'f16')
  assert.ok(kept >= 0)
  const { header } = decode(encode(program, summary))
  assert.is(header.constants[kept].bytes, 30 * 21 * 2)
  assert.is(header.constants[kept].kept, 'f16')
  const rounded = program.constants.map(constant => ({
    ...constant,
    data: constant.data.map(value => halfToFloat(floatToHalf(value)))
  }))
  const feeds = tensorsOf(randomFeeds(model.inputs, random))
  const results = await Promise.all(
    [program, { ...program, constants: rounded }].map(async each => {
      const session = await InferenceSession.create(encode(each, summary), { executionProviders: ['reference'] })
      return Object.values(await session.run(feeds))[0].data as Float32Array
    })
  )
  assert.ok(sameBits(results[0], results[1]))
})

test('a file that keeps halves of what it stores in single precision is refused', () => {
  const { program, summary } = build(layer(30, 21).encode())
  const constants = program.constants.map(constant => ({ ...constant, kept: 'f16' as const }))
  assert.throws(
    () => decode(encode({ ...program, constants }, summary)),
    (error: unknown) => error instanceof FormatError && /kept as halves/.test(error.message)
  )
})

test.run()
