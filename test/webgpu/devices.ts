// Devices as they are in the wild: those that have the least, older interfaces, what sessions of one device share, and when its
// pipelines are made.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { env, InferenceSession, Tensor } from '../../runtime/index.js'
import { disguised, gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`devices (seed ${baseSeed})`)
const random = new Random('devices')
const lenet = await compile(zoo.lenet5.build())

/** Layers of every tile: many pixels and channels, few of either, depthwise, a head. */
function network(): Uint8Array {
  const m = new ModelBuilder(random)
  let x = m.input([1, 3, 96, 96], 'float32', [-1, 1], 'x')
  x = m.add('Relu', [m.add('Conv', [x, m.weights([64, 3, 3, 3]), m.weights([64])], { pads: [1, 1, 1, 1] })])
  x = m.add('HardSwish', [m.add('Conv', [x, m.weights([64, 1, 3, 3])], { group: 64, strides: [2, 2] })])
  x = m.add('Relu', [m.add('Conv', [x, m.weights([64, 64, 1, 1], [-0.2, 0.2])])])
  x = m.add('Flatten', [m.add('GlobalAveragePool', [m.add('Conv', [x, m.weights([24, 64, 3, 3], [-0.1, 0.1])])])])
  m.output(m.add('Softmax', [m.add('Gemm', [x, m.weights([24, 10]), m.weights([10])])]))
  return m.encode()
}

const noise = () => new Tensor('float32', Float32Array.from(random.values(3 * 96 * 96, [-1, 1])), [1, 3, 96, 96])

async function resultOn(file: Uint8Array, input: Tensor, provider: object | string): Promise<Float32Array> {
  const session = await InferenceSession.create(file, { executionProviders: [provider as 'wasm'] })
  const results = await session.run({ x: input })
  await session.release()
  return results[session.outputNames[0]].data as Float32Array
}

async function checkOn(device: GPUDevice): Promise<void> {
  const input = noise()
  const file = await compile(network(), { weights: 'f16' })
  const [own, wanted] = [await resultOn(file, input, { name: 'webgpu', device }), await resultOn(file, input, 'wasm')]
  const largest = Math.max(...wanted)
  own.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) <= 1e-4 * largest, `${i}: ${value}, ${wanted[i]}`))
}

/** A device that counts what it makes. */
function counting(device: GPUDevice): { device: GPUDevice; made: Record<string, number> } {
  const made: Record<string, number> = {}
  const makers = ['createTexture', 'createBuffer', 'createShaderModule', 'createComputePipelineAsync'] as const
  const counted = makers.map(name => {
    const make = (descriptor: never): unknown => {
      made[name] = (made[name] ?? 0) + 1
      return (device[name] as (descriptor: never) => unknown).call(device, descriptor)
    }
    return [name, make]
  })
  return { device: disguised(device, Object.fromEntries(counted)), made }
}

function suiteOnGpu(): void {
  test('a device that has no features, and the least of all limits', async () => {
    const device = await (await (await gpu()).requestAdapter())!.requestDevice()
    assert.is(device.limits.maxStorageBufferBindingSize, 2 ** 27)
    assert.is(device.limits.maxStorageBuffersPerShaderStage, 8)
    for (const feature of ['shader-f16', 'subgroups', 'timestamp-query']) assert.not(device.features.has(feature))
    await checkOn(device)
    device.destroy()
  })

  test('a device of an older interface, which is asked for where there is no other', async () => {
    const real = await gpu()
    const asked: (string | undefined)[] = []
    const requestAdapter: GPU['requestAdapter'] = async options => {
      asked.push(options?.featureLevel)
      return options?.featureLevel === 'compatibility' ? real.requestAdapter(options) : null
    }
    const adapter = (await real.requestAdapter({ featureLevel: 'compatibility' }))!
    const device = await adapter.requestDevice({
      requiredLimits: { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupSizeX: 256 }
    })
    assert.not(device.features.has('core-features-and-limits'))
    await checkOn(device)
    device.destroy()
    env.webgpu.gpu = { requestAdapter } as unknown as GPU
    try {
      const session = await InferenceSession.create(lenet, { executionProviders: ['webgpu'] })
      await session.release()
      assert.equal(asked.slice(0, 2), [undefined, 'compatibility'])
    } finally {
      env.webgpu.gpu = real
    }
  })

  test('a device that admits to be a program on the CPU has products of its own, with the same results', async () => {
    const device = await (await (await gpu()).requestAdapter())!.requestDevice()
    const own = disguised(device, {
      adapterInfo: { isFallbackAdapter: false, architecture: '', description: 'llvmpipe' }
    })
    const m = new ModelBuilder(random)
    const x = m.input([3, 37, 9, 11], 'float32', [-1, 1], 'x')
    const odd = m.add('Relu', [m.add('Conv', [x, m.weights([45, 37, 3, 3]), m.weights([45])], { strides: [2, 1] })])
    const grouped = m.add('Conv', [odd, m.weights([90, 15, 1, 1])], { group: 3 })
    const rows = m.add('Reshape', [grouped, m.ints([3, 90, 36])])
    m.output(m.add('MatMul', [m.add('Transpose', [rows], { perm: [0, 2, 1] }), m.weights([90, 21])]))
    const file = await compile(m.encode())
    const input = new Tensor('float32', Float32Array.from(random.values(3 * 37 * 99, [-1, 1])), [3, 37, 9, 11])
    const entries = async (device: GPUDevice) => {
      const session = await InferenceSession.create(file, { executionProviders: [{ name: 'webgpu', device }] })
      const results = await session.run({ x: input })
      const names = new Set(session.dispatches.map(({ entry }) => entry))
      await session.release()
      return { data: results[session.outputNames[0]].data as Float32Array, names }
    }
    const [lanes, tiles] = [
      await entries(own),
      await entries(disguised(device, { adapterInfo: { description: 'a GPU' } }))
    ]
    assert.ok(lanes.names.has('laneProduct') && !lanes.names.has('product'), [...lanes.names].join())
    assert.ok(tiles.names.has('product') && !tiles.names.has('laneProduct'), [...tiles.names].join())
    const largest = Math.max(...tiles.data.map(Math.abs))
    lanes.data.forEach((value, i) => assert.ok(Math.abs(value - tiles.data[i]) <= 1e-5 * largest, `${i}`))
    await checkOn(own)
    device.destroy()
  })

  test('a second session of a device makes no pipeline', async () => {
    const { device, made } = counting(await (await (await gpu()).requestAdapter())!.requestDevice())
    const options = { executionProviders: [{ name: 'webgpu', device }] } as const
    await (await InferenceSession.create(lenet, options)).release()
    const { createShaderModule, createComputePipelineAsync } = made
    assert.ok(createComputePipelineAsync > 2)
    await (await InferenceSession.create(lenet, options)).release()
    assert.equal(
      [made.createShaderModule, made.createComputePipelineAsync],
      [createShaderModule, createComputePipelineAsync]
    )
    device.destroy()
  })

  test('pipelines are asked for while weights arrive', async () => {
    const { device, made } = counting(await (await (await gpu()).requestAdapter())!.requestDevice())
    const file = await compile(zoo['resnet20-cifar'].build())
    let before = 0
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(file.slice(0, 2 ** 16))
        for (let i = 0; i < 200 && !made.createComputePipelineAsync; i++)
          await new Promise(next => setTimeout(next, 20))
        before = made.createComputePipelineAsync ?? 0
        controller.enqueue(file.slice(2 ** 16))
        controller.close()
      }
    })
    const response = new Response(body)
    const session = await InferenceSession.create(response, { executionProviders: [{ name: 'webgpu', device }] })
    assert.ok(before > 2, `${before} of ${made.createComputePipelineAsync} pipelines`)
    await session.release()
    device.destroy()
  })

  test('frames of one size share a texture and a buffer', async () => {
    const { device, made } = counting(await (await (await gpu()).requestAdapter())!.requestDevice())
    const session = await InferenceSession.create(lenet, { executionProviders: [{ name: 'webgpu', device }] })
    const frame = () => ({ width: 40, height: 30, data: Uint8Array.from(random.ints(40 * 30 * 4, [0, 255])) })
    const options = { width: 32, height: 32, channels: 'GRAY', stretch: true } as const
    const first = frame()
    const wanted = await (await session.imageTensor(first, options)).getData(true)
    const buffers = made.createBuffer
    await (await session.imageTensor(frame(), options)).getData(true)
    const again = await (await session.imageTensor(first, options)).getData(true)
    assert.equal(again, wanted)
    // What is downloaded goes through a buffer of its own.
    assert.equal([made.createTexture, made.createBuffer - buffers], [1, 2])
    await session.release()
    device.destroy()
  })
}

const reason = await withoutGpu()
if (reason) skip('devices of WebGPU', reason)
else {
  env.webgpu.gpu = await gpu()
  suiteOnGpu()
}
test.run()
