// Squeeze-and-excitation and normalisations in front of a layer on the GPU: what each element goes through is done where the next
// layer loads its rows, if that layer alone reads it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { trafficOf } from '../../bench/gpu/traffic.js'
import { compile } from '../../compiler/index.js'
import { env, type GpuDispatch, InferenceSession, Tensor } from '../../runtime/index.js'
import { disguised, gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`gates (seed ${baseSeed})`)
const random = new Random('gates')

interface Shape {
  readonly batch?: number
  readonly channels: number
  readonly size: number
  readonly filters: number
  /** Whether the maps are read again without their gates, so that these may not take their place. */
  readonly again?: boolean
  /** What reads the gated maps besides the layer behind them. */
  readonly besides?: 'output' | 'layer' | 'residual'
}

const lines = [
  { channels: 32, size: 9, filters: 16 },
  { channels: 37, size: 6, filters: 21, again: true },
  { channels: 512, size: 7, filters: 64 },
  { channels: 24, size: 20, filters: 100, again: true }
]

function model({ batch = 1, channels, size, filters, again, besides }: Shape): Uint8Array {
  const m = new ModelBuilder(random)
  const x = m.input([batch, channels, size, size], 'float32', [-1, 1], 'x')
  const maps = m.add('Relu', [
    m.add('Conv', [x, m.weights([channels, 1, 3, 3])], { group: channels, pads: [1, 1, 1, 1] })
  ])
  const pooled = m.add('GlobalAveragePool', [maps])
  const squeezed = m.add('Relu', [m.add('Conv', [pooled, m.weights([8, channels, 1, 1])])])
  const gate = m.add('HardSigmoid', [m.add('Conv', [squeezed, m.weights([channels, 8, 1, 1])])])
  const gated = m.add('Mul', random.int(0, 1) ? [maps, gate] : [gate, maps])
  const next = (to: string) => m.add('Conv', [to, m.weights([filters, channels, 1, 1]), m.weights([filters])])
  if (besides === 'residual') return m.output(m.add('Add', [next(gated), maps])).encode()
  const y = m.add('Relu', [next(gated)])
  m.output(again ? m.add('Add', [y, next(maps)]) : y)
  if (besides === 'output') m.output(gated)
  if (besides === 'layer') m.output(next(gated))
  return m.encode()
}

interface Dense {
  readonly batch?: number
  readonly channels: number
  readonly size: number
  readonly filters: number
  /** Whether another layer reads what is normalised. */
  readonly again?: boolean
}

/** Maps that are read again (Huang et al. 2017), and a normalisation of them in front of a layer. */
function denseModel({ batch = 1, channels, size, filters, again }: Dense): Uint8Array {
  const m = new ModelBuilder(random)
  const x = m.input([batch, channels, size, size], 'float32', [-1, 1], 'x')
  const maps = m.add('MaxPool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const ofChannels = (low: number, high: number) => m.weights([channels], [low, high])
  const statistics = [ofChannels(0.5, 2), ofChannels(-1, 1), ofChannels(-1, 1), ofChannels(0.5, 2)]
  const normed = m.add('Relu', [m.add('BatchNormalization', [maps, ...statistics])])
  const next = (to: string) => m.add('Conv', [to, m.weights([filters, channels, 1, 1]), m.weights([filters])])
  const own = m.add('Conv', [next(normed), m.weights([8, filters, 3, 3])], { pads: [1, 1, 1, 1] })
  m.output(m.add('Concat', [maps, own], { axis: 1 }))
  if (again) m.output(next(normed))
  return m.encode()
}

/** Runs a file on the CPU and on a device, and compares; the device's dispatches. */
async function checked(
  file: Uint8Array,
  { batch = 1, channels, size }: Shape,
  device: GPUDevice
): Promise<readonly GpuDispatch[]> {
  const count = batch * channels * size * size
  const x = new Tensor('float32', Float32Array.from(random.values(count, [-1, 1])), [batch, channels, size, size])
  const [own, plain] = [
    await InferenceSession.create(file, { executionProviders: [{ name: 'webgpu', device }] }),
    await InferenceSession.create(file)
  ]
  const [results, expected] = [await own.run({ x }), await plain.run({ x })]
  const { dispatches } = own
  await Promise.all([own.release(), plain.release()])
  for (const name of plain.outputNames) {
    const [actual, wanted] = [results[name].data as Float32Array, expected[name].data as Float32Array]
    const largest = Math.max(...wanted.map(Math.abs))
    wanted.forEach((value, i) =>
      assert.ok(Math.abs(actual[i] - value) <= 1e-5 * largest, `${name}[${i}] is ${actual[i]}, not ${value}`)
    )
  }
  return dispatches
}

const isScale = ({ kernel }: GpuDispatch) => kernel === 'binary'
const isGated = ({ constants }: GpuDispatch) => constants?.LOADED_AS === 1
const isNorm = ({ kernel }: GpuDispatch) => kernel === 'scaleShift'
const isNormed = ({ constants }: GpuDispatch) => (constants?.LOADED_AS ?? 0) > 1
const bytesOf = (dispatch: GpuDispatch) => trafficOf(dispatch, 'f32')!.moved

/** Each invocation loads four factors for all its rows of a step of 16. */
function bytesOfGates({ groups: [down, across], constants, block }: GpuDispatch): number {
  const { THREADS_X, THREADS_Y } = constants!
  return 16 * down * across * THREADS_X * THREADS_Y * Math.ceil(block.inner / 16)
}

function suiteOnGpu(): void {
  for (const shape of lines)
    test(`${shape.channels} channels of ${shape.size} by ${shape.size} are gated where they are loaded`, async () => {
      const device = await (await (await gpu()).requestAdapter())!.requestDevice()
      const admitted = disguised(device, { adapterInfo: { architecture: 'swiftshader', description: '' } })
      const file = await compile(model(shape))
      const dispatches = await checked(file, shape, device)
      assert.not(dispatches.some(isScale))
      const [product] = dispatches.filter(isGated)
      assert.is(
        bytesOf(product) - bytesOf({ ...product, constants: { ...product.constants, LOADED_AS: 0 } }),
        bytesOfGates(product)
      )
      // Programs on the CPU keep the layer.
      assert.ok((await checked(file, shape, admitted)).some(isScale))
      device.destroy()
    })

  const kept: Record<string, Shape> = {
    'of two images': { ...lines[0], batch: 2 },
    'that lie where a residual is replaced': { channels: 128, size: 20, filters: 128, besides: 'residual' },
    'that are an output': { ...lines[0], besides: 'output' },
    'that two layers read': { ...lines[0], besides: 'layer' }
  }
  for (const [what, shape] of Object.entries(kept))
    test(`gated maps ${what} are written`, async () => {
      const device = await (await (await gpu()).requestAdapter())!.requestDevice()
      const admitted = disguised(device, { adapterInfo: { architecture: 'swiftshader', description: '' } })
      const file = await compile(model(shape))
      for (const each of [device, admitted]) {
        const dispatches = await checked(file, shape, each)
        assert.ok(dispatches.some(isScale) && !dispatches.some(isGated))
      }
      device.destroy()
    })

  for (const shape of [
    { channels: 32, size: 9, filters: 16 },
    { channels: 37, size: 6, filters: 21, batch: 3 },
    { channels: 512, size: 7, filters: 64, batch: 2 }
  ])
    test(`${shape.channels} channels of ${shape.size} by ${shape.size} are normalised where they are loaded`, async () => {
      const device = await (await (await gpu()).requestAdapter())!.requestDevice()
      const admitted = disguised(device, { adapterInfo: { architecture: 'swiftshader', description: '' } })
      const file = await compile(denseModel(shape))
      const dispatches = await checked(file, shape, device)
      assert.not(dispatches.some(isNorm))
      const [product] = dispatches.filter(isNormed)
      assert.is(
        bytesOf(product) - bytesOf({ ...product, constants: { ...product.constants, LOADED_AS: 0 } }),
        2 * bytesOfGates(product)
      )
      // Programs on the CPU keep the layer.
      assert.ok((await checked(file, shape, admitted)).some(isNorm))
      const shared = await checked(await compile(denseModel({ ...shape, again: true })), shape, device)
      assert.ok(shared.some(isNorm) && !shared.some(isNormed))
      device.destroy()
    })

  test('each layer of a file that is to be verified is seen', async () => {
    const device = await (await (await gpu()).requestAdapter())!.requestDevice()
    const file = await compile(model(lines[0]), { golden: true })
    const session = await InferenceSession.create(file, { executionProviders: [{ name: 'webgpu', device }] })
    assert.ok((await session.verify()).ok)
    assert.ok(session.dispatches.some(isScale))
    await session.release()
    device.destroy()
  })
}

const missing = await withoutGpu()
if (missing) skip('gates on WebGPU', missing)
else {
  env.webgpu.gpu = await gpu()
  suiteOnGpu()
}

test.run()
