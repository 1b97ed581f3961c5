// Squeeze-and-excitation on the GPU: a gate's product with what it gates is made where the next layer loads its rows, if that
// layer alone reads it.
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
const isGated = ({ constants }: GpuDispatch) => Boolean(constants?.GATED)
const bytesOf = (dispatch: GpuDispatch) => trafficOf(dispatch, 'f32')!.moved

/** Each invocation loads four factors for all its rows of a step of 16, or without workgroup memory of each quarter of it. */
function bytesOfGates({ entry, groups: [down, across], constants, block }: GpuDispatch): number {
  const { THREADS_X, THREADS_Y } = constants ?? {}
  const loads = entry === 'product' ? THREADS_X * THREADS_Y : 16 * 4
  return 16 * down * across * loads * Math.ceil(block.inner / 16)
}

function suiteOnGpu(): void {
  for (const shape of lines)
    test(`${shape.channels} channels of ${shape.size} by ${shape.size} are gated where they are loaded`, async () => {
      const device = await (await (await gpu()).requestAdapter())!.requestDevice()
      const admitted = disguised(device, { adapterInfo: { architecture: 'swiftshader', description: '' } })
      const file = await compile(model(shape))
      for (const each of [device, admitted]) {
        const dispatches = await checked(file, shape, each)
        assert.not(dispatches.some(isScale))
        const [product] = dispatches.filter(isGated)
        assert.is(
          bytesOf(product) - bytesOf({ ...product, constants: { ...product.constants, GATED: 0 } }),
          bytesOfGates(product)
        )
      }
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
