// Activations in half precision, where an adapter has shader-f16: operators' cases and networks within 2e-2 of onnxruntime's single
// precision, and a self-check that tells which layer leaves the range. CAIRN_HALVES=all takes every case, else some, drawn anew.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { encode } from '../../runtime/file/format.js'
import { InferenceSession } from '../../runtime/index.js'
import { lease } from '../../runtime/webgpu/device/device.js'
import { beyondHalves } from '../../runtime/webgpu/executor.js'
import { numbersOfTensors, presentBackends, tensorsOf } from '../support/cairn.js'
import { takesHalves } from '../support/cases/case.js'
import { casesOf, checkRun, type Family, families, only, type Prepared, prepare } from '../support/cases/op-cases.js'
import { assertClose, errorOf } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Named, type Numbers, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { farthest } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`halves (seed ${baseSeed})`)
const random = new Random('halves')
const limit = 2e-2
/** Cases of a usual run. */
const drawn = 24

const executionProviders = [{ name: 'webgpu' }] as const
const inHalves = { executionProviders: [{ name: 'webgpu', precision: 'f16' }] } as const

/** Some four times what halves round by. */
const nudge = 2 ** -9

/** Whether numbers leave the range of halves. */
const isBeyond = ({ data }: Numbers) =>
  Array.from(data).some(value => Number.isFinite(value) && Math.abs(value) > 65504)

/** Inputs that halves hold, but for their last digits, and what comes of them. */
async function inRange(
  oracle: Oracle,
  { bindings, feeds }: Prepared['runs'][number]
): Promise<Prepared['runs'][number]> {
  const held = cutAll(feeds)
  return { bindings, feeds: held, expected: await oracle.run(held) }
}

/** Floats in the range of halves, as what is stored is cut to it; whole numbers beyond it ask for single precision. */
const cutAll = (named: Named) =>
  Object.fromEntries(Object.entries(named).map(([name, numbers]) => [name, cut(numbers)]))

function cut(numbers: Numbers): Numbers {
  if (!numbers.dtype.startsWith('float')) return numbers
  return { ...numbers, data: Float32Array.from(numbers.data, value => Math.max(-65504, Math.min(value, 65504))) }
}

function suiteInHalves(): void {
  const all = (Object.keys(families) as Family[]).flatMap(casesOf).filter(({ item }) => takesHalves(item))
  const count = { f16: 0, f32: 0 }
  const wanted =
    only || process.env.CAIRN_HALVES === 'all' ? all : Array.from({ length: drawn }, () => random.pick(all))
  for (const each of new Set(wanted)) {
    const { item, name } = each
    if (item.without?.webgpu) continue
    test(name, async () => {
      const prepared = await prepare(each)
      const { model } = prepared
      const oracle = item.expected ? undefined : await Oracle.load(model)
      const runs = oracle ? await Promise.all(prepared.runs.map(run => inRange(oracle, run))) : prepared.runs
      if (runs.some(({ expected }) => Object.values(expected).some(isBeyond))) {
        skip(`${name} in halves`, 'its results are beyond the largest half')
        await oracle?.release()
        return
      }
      const { program, summary } = build(model, { ...item.options, weights: 'f16' })
      // Whole numbers beyond what halves hold, and places, ask for single precision.
      const ports = [...program.inputs, ...program.outputs].every(({ dtype }) => dtype.startsWith('float'))
      const isHalf = ports && !program.kernels.some(each => beyondHalves.has(each.name))
      const options = isHalf ? inHalves : { executionProviders }
      const session = await InferenceSession.create(encode(program, summary), options)
      assert.is(session.precision, isHalf ? 'f16' : 'f32')
      count[session.precision]++
      const allowed = { ...item, tolerance: { limit: Math.max(limit, item.tolerance?.limit ?? 0), reason: 'halves' } }
      for (const { feeds, expected } of runs) {
        const results = numbersOfTensors(await session.run(tensorsOf(feeds)))
        const [outputs, wanted] = oracle ? [cutAll(results), cutAll(expected)] : [results, expected]
        try {
          checkRun(allowed, outputs, wanted)
        } catch (error) {
          // The sine of hundreds and the sign of almost nothing depend on digits that halves do not have.
          const run = { feeds, expected: wanted }
          const far = isHalf && oracle ? await farthest(oracle, run, random, { pairs: 3, by: nudge }) : 0
          const worst = Math.max(...Object.entries(wanted).map(([each, own]) => errorOf(outputs[each], own).error))
          if (far <= allowed.tolerance.limit || worst > 4 * far) throw error
          skip(`${name} in halves`, 'of its inputs the digits that halves do not have decide')
        }
      }
      await oracle?.release()
      await session.release()
    })
  }

  test('most cases are computed in halves', () => {
    console.log(`${count.f16} cases in halves, ${count.f32} in single precision`)
    // Of the few that a run draws, those that ask for single precision may be the more.
    assert.ok(only || count.f16 > (wanted === all ? count.f32 : 0))
  })

  const shapes = [
    { what: 'usual numbers', factor: 0.1, range: 2, isTransformed: true },
    { what: 'the largest inputs', factor: 1e-2, range: 6e4, isTransformed: true },
    { what: 'weights that halves would lose', factor: 1e-6, range: 1000, isTransformed: false }
  ]
  for (const { what, factor, range, isTransformed } of shapes)
    test(`Winograd's tiles of ${what}`, async () => {
      const m = new ModelBuilder(random)
      const x = m.input([1, 33, 13, 14], 'float32', [-range, range])
      const filters = (...dims: number[]) => {
        const count = dims.reduce((a, b) => a * b)
        return m.constant({ dtype: 'float32', dims, data: random.values(count, [-1, 1]).map(value => value * factor) })
      }
      const conv = m.add('Conv', [x, filters(37, 33, 3, 3)], { pads: [1, 1, 1, 1] })
      const sum = m.add('Add', [conv, m.add('Conv', [x, filters(37, 33, 1, 1)])])
      m.output(m.add('PRelu', [sum, m.weights([37, 1, 1])]))
      const file = await compile(m.encode(), { weights: 'f16', kernels: ['winograd4'] })
      const session = await InferenceSession.create(file, inHalves)
      const oracle = await Oracle.load(m.encode())
      const feeds = randomFeeds(m.inputs, random)
      assertClose(numbersOfTensors(await session.run(tensorsOf(feeds))), await oracle.run(feeds), limit / 2)
      assert.is(
        session.dispatches.some(({ entry }) => entry === 'gatherOutputs'),
        isTransformed
      )
      await oracle.release()
      await session.release()
    })

  for (const name of ['lenet5', 'squeezenet1.1', 'mobilenet-v3-small', 'resnet20-cifar'])
    test(name, async () => {
      const model = zoo[name].build()
      const session = await InferenceSession.create(await compile(model, { weights: 'f16' }), { executionProviders })
      assert.is(session.precision, 'f16')
      const oracle = await Oracle.load(model)
      const dims = session.inputMetadata[0].shape.map((size, axis) => (typeof size === 'number' ? size : axis ? 64 : 2))
      const feeds = randomFeeds([{ name: session.inputNames[0], dtype: 'float32', dims, range: [-1, 1] }], random)
      assertClose(numbersOfTensors(await session.run(tensorsOf(feeds))), await oracle.run(feeds), limit)
      await oracle.release()
      await session.release()
    })

  test('a self-check names the layer that leaves the range of halves', async () => {
    const m = new ModelBuilder(random)
    const inside = m.add('Conv', [m.input([1, 8, 6, 6], 'float32', [-1, 1]), m.weights([8, 8, 3, 3])])
    const large = m.add('Mul', [inside, m.scalar(3e5)])
    m.output(m.add('Mul', [m.add('Relu', [m.add('Conv', [large, m.weights([8, 8, 1, 1])])]), m.scalar(1e-5)]))
    const file = await compile(m.encode(), { weights: 'f16', golden: true })
    const session = await InferenceSession.create(file, { executionProviders })
    const single = await InferenceSession.create(file, {
      executionProviders: [{ name: 'webgpu', precision: 'f32' }]
    })
    assert.equal([session.precision, single.precision], ['f16', 'f32'])
    assert.ok((await single.verify()).ok)
    const { ok, first } = await session.verify()
    assert.not(ok)
    assert.ok(first!.error > first!.limit, JSON.stringify(first))
    await session.release()
    await single.release()
  })
}

const hasGpu = (await presentBackends()).includes('webgpu')
if (hasGpu && (await lease()).device.features.has('shader-f16')) suiteInHalves()
else
  skip(
    'activations in half precision',
    hasGpu ? 'this adapter has no shader-f16; Mesa 25 brings a driver that has' : 'there is no WebGPU'
  )
test.run()
