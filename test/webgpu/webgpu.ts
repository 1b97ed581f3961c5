// WebGPU beyond the operators: that runs create nothing, tensors and pictures that stay on the GPU, the best classes,
// lost devices, limits, the choice of a device, half precision. The operators' cases are in ops.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNullGpu } from '../../cli/device/gpu.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { env, InferenceSession, type SessionOptions, Tensor } from '../../runtime/index.js'
import { imageElements, topK } from '../../runtime/tensor/image.js'
import { manyKernels } from '../support/cases/many-kernels.js'
import { disguised, gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { skip } from '../support/skip.js'

const test = suite(`webgpu (seed ${baseSeed})`)
const random = new Random('webgpu')

const lenet = await compile(zoo.lenet5.build())
const resnet = await compile(zoo['resnet20-cifar'].build())

const noise = (dims: readonly number[]) => {
  const count = dims.reduce((a, b) => a * b, 1)
  return new Tensor('float32', Float32Array.from(random.values(count, [-1, 1])), dims)
}

const onGpu = (file: Uint8Array, options: SessionOptions = {}) =>
  InferenceSession.create(file, { executionProviders: ['webgpu'], ...options })

/** The device that a session runs on, which is its own business otherwise. */
const deviceOf = (session: InferenceSession) =>
  (session as unknown as { executor: { device: GPUDevice } }).executor.device

/** What the CPU path makes of the only input, as floats. */
async function expectedOf(file: Uint8Array, input: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(file)
  const results = await session.run({ [session.inputNames[0]]: input })
  await session.release()
  return results[session.outputNames[0]].data as Float32Array
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, limit = 1e-4): void {
  const largest = Math.max(...Array.from(expected, Math.abs))
  assert.is(actual.length, expected.length)
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= limit * largest, `element ${i}: ${actual[i]}, not ${expected[i]}`)
}

async function newDevice(): Promise<GPUDevice> {
  const adapter = await (await gpu()).requestAdapter()
  return adapter!.requestDevice()
}

/** A device that binds no more than so many bytes. */
function binding(device: GPUDevice, maxStorageBufferBindingSize: number): GPUDevice {
  const { maxBufferSize, maxTextureDimension2D, maxComputeWorkgroupsPerDimension } = device.limits
  const limits = { maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D, maxComputeWorkgroupsPerDimension }
  return disguised(device, { limits })
}

function suiteOnGpu(): void {
  test('a second run creates nothing', async () => {
    const device = await newDevice()
    const created: string[] = []
    const makers =
      'Buffer BindGroup BindGroupLayout PipelineLayout ShaderModule ComputePipeline ComputePipelineAsync Texture QuerySet Sampler'
    const counting = Object.fromEntries(
      makers.split(' ').map(kind => {
        const name = `create${kind}` as 'createBuffer'
        const make = (...args: Parameters<GPUDevice['createBuffer']>) => {
          created.push(kind)
          return device[name](...args)
        }
        return [name, make]
      })
    )
    const executionProviders = [{ name: 'webgpu', device: disguised(device, counting) }]
    const session = await onGpu(resnet, { executionProviders })
    assert.ok(created.includes('Buffer') && created.includes('ComputePipelineAsync'))
    const [first, second] = [noise([1, 3, 32, 32]), noise([1, 3, 32, 32])]
    const [name, output] = [session.inputNames[0], session.outputNames[0]]
    await session.run({ [name]: first })
    created.length = 0
    const results = await session.run({ [name]: second })
    assert.equal(created, [])
    assertNear(results[output].data as Float32Array, await expectedOf(resnet, second))
    await session.run({ [name]: noise([3, 3, 32, 32]) })
    assert.ok(created.includes('Buffer'), 'a larger batch needs a larger arena')
    await session.release()
    device.destroy()
  })

  test('runs at the same time keep apart, at every size', async () => {
    const session = await onGpu(resnet)
    const inputs = [1, 3, 2, 1].map(batch => noise([batch, 3, 32, 32]))
    const all = await Promise.all(inputs.map(input => session.run({ [session.inputNames[0]]: input })))
    for (const [i, input] of inputs.entries())
      assertNear(all[i][session.outputNames[0]].data as Float32Array, await expectedOf(resnet, input))
    await session.release()
  })

  test('tensors stay on the GPU and come back', async () => {
    const session = await onGpu(lenet, { preferredOutputLocation: 'gpu-buffer' })
    const [name, output] = [session.inputNames[0], session.outputNames[0]]
    const input = noise([2, 1, 32, 32])
    const device = deviceOf(session)
    const buffer = device.createBuffer({ size: input.data.length * 4, usage: 8 | 4 })
    device.queue.writeBuffer(buffer, 0, input.data as Float32Array<ArrayBuffer>)
    const results = await session.run({ [name]: Tensor.fromGpuBuffer(buffer, { dims: input.dims }) })
    const result = results[output]
    assert.is(result.location, 'gpu-buffer')
    assert.equal(result.dims, [2, 10])
    assert.throws(() => result.data, /on the GPU/)
    const expected = await expectedOf(lenet, input)
    const held = result.gpuBuffer
    assertNear((await result.getData(true)) as Float32Array, expected)
    assert.throws(() => result.gpuBuffer, /disposed/)
    const again = await session.run({ [name]: input })
    assert.is(again[output].gpuBuffer, held, 'what was disposed of is used again')
    assertNear((await again[output].getData()) as Float32Array, expected)
    assert.throws(() => Tensor.fromGpuBuffer(buffer, { dims: [9, 1, 32, 32] }), /needs 36864 bytes/)
    const cpu = await InferenceSession.create(lenet)
    await rejects(() => cpu.run({ [name]: Tensor.fromGpuBuffer(buffer, { dims: input.dims }) }), /lies on the GPU/)
    await rejects(
      () => InferenceSession.create(lenet, { preferredOutputLocation: 'gpu-buffer' }),
      /needs the device webgpu/
    )
    await cpu.release()
    await session.release()
  })

  test('the best classes of each image, from the GPU and from the CPU', async () => {
    const gaps = (all: Float32Array) =>
      [0, 10, 20].flatMap(from => {
        const best = topK(all.subarray(from, from + 10), 5).map(({ score }) => score)
        return best.slice(1).map((score, i) => best[i] - score)
      })
    const isNear = () => Math.min(...gaps(scores)) < 1e-3 * Math.max(...scores.map(Math.abs))
    let input = noise([3, 3, 32, 32])
    let scores = await expectedOf(resnet, input)
    // None of the best is so near to the next that rounding decides.
    for (let more = 0; more < 20 && isNear(); more++) {
      input = noise([3, 3, 32, 32])
      scores = await expectedOf(resnet, input)
    }
    assert.not(isNear(), 'rounding decides which classes are the best')
    for (const device of ['webgpu', 'wasm']) {
      const session = await onGpu(resnet, { executionProviders: [device] })
      const feeds = { [session.inputNames[0]]: input }
      const best = await session.top(feeds, { count: 4 })
      const shares = await session.top(feeds, { count: 30, softmax: true })
      assert.equal(
        best.map(row => row.length),
        [4, 4, 4]
      )
      best.forEach((row, i) => {
        const expected = topK(scores.subarray(i * 10, i * 10 + 10), 4)
        assert.equal(
          row.map(({ index }) => index),
          expected.map(({ index }) => index),
          device
        )
        assertNear(
          row.map(({ score }) => score),
          expected.map(({ score }) => score)
        )
      })
      for (const row of shares) {
        assert.is(row.length, 10)
        const sum = row.reduce((total, { score }) => total + score, 0)
        assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`)
      }
      await rejects(() => session.top(feeds, { count: 0 }), /count 0/)
      await session.release()
    }
  })

  test('pictures become tensors on the GPU as on the CPU, but for the rounding to bytes', async () => {
    const session = await onGpu(lenet)
    const [width, height] = [random.int(60, 90), random.int(40, 55)]
    for (const channels of [3, 4]) {
      const data = Uint8Array.from(random.values(width * height * channels, [0, 255]))
      const picture = { data, width, height }
      const choices = [
        { width: 32, height: 24, resize: 30, mean: [0.485, 0.456, 0.406], std: [0.2, 0.3, 0.25], scale: 1 / 255 },
        { width: 33, height: 20, channels: 'BGR', layout: 'NHWC' },
        { width: 100, height: 80, stretch: true, channels: 'GRAY', mean: 127.5, std: 127.5 }
      ] as const
      for (const options of choices) {
        const tensor = await session.imageTensor(picture, options)
        const expected = imageElements(picture, options)
        assert.is(tensor.location, 'gpu-buffer')
        assert.equal(tensor.dims, expected.dims)
        // The CPU path rounds columns, rows and greys to bytes.
        const byte = 'scale' in options ? 1 / 255 / 0.2 : 'std' in options ? 1 / 127.5 : 1
        const largest = Math.max(...expected.data.map(Math.abs))
        assertNear((await tensor.getData(true)) as Float32Array, expected.data, (1.6 * byte) / largest)
      }
    }
    await session.release()
  })

  test('a lost device is replaced, and the run that was under way is finished', async () => {
    const session = await onGpu(resnet)
    const name = session.inputNames[0]
    const inputs = [noise([1, 3, 32, 32]), noise([2, 3, 32, 32])]
    await session.run({ [name]: inputs[0] })
    const lost = deviceOf(session)
    const under = session.run({ [name]: inputs[0] })
    lost.destroy()
    assertNear((await under)[session.outputNames[0]].data as Float32Array, await expectedOf(resnet, inputs[0]))
    assert.is.not(deviceOf(session), lost)
    deviceOf(session).destroy()
    await new Promise(resolve => setTimeout(resolve, 20))
    const later = await session.run({ [name]: inputs[1] })
    assertNear(later[session.outputNames[0]].data as Float32Array, await expectedOf(resnet, inputs[1]))
    await session.release()
  })

  test("the application's own device is not replaced", async () => {
    const device = await newDevice()
    const session = await onGpu(lenet, { executionProviders: [{ name: 'webgpu', device }] })
    assert.is(deviceOf(session), device)
    device.destroy()
    const input = noise([1, 1, 32, 32])
    await rejects(() => session.run({ [session.inputNames[0]]: input }), /lost/)
    await session.release()
  })

  test('limits: weights in several banks, and what is too large is refused with what it needs', async () => {
    const device = await newDevice()
    const limited = (bytes: number) => ({ executionProviders: [{ name: 'webgpu', device: binding(device, bytes) }] })
    const input = noise([1, 3, 32, 32])
    const session = await onGpu(resnet, limited(350_000))
    const results = await session.run({ [session.inputNames[0]]: input })
    assertNear(results[session.outputNames[0]].data as Float32Array, await expectedOf(resnet, input))
    await rejects(
      () => session.run({ [session.inputNames[0]]: noise([16, 3, 32, 32]) }),
      /needs \d+ bytes for its activations; this device binds 350000/
    )
    await session.release()
    await rejects(() => onGpu(resnet, limited(20_000)), /the weights of .* take \d+ bytes; this device binds 20000/)
    device.destroy()
  })

  test('a matrix that is too large for a binding is multiplied in parts', async () => {
    const builder = new ModelBuilder(random)
    const x = builder.input([3, 40])
    const hidden = builder.add('Relu', [builder.add('Gemm', [x, builder.weights([40, 203]), builder.weights([203])])])
    builder.output(builder.add('Gemm', [hidden, builder.weights([203, 12]), builder.weights([12])]))
    for (const weights of ['f32', 'f16'] as const) {
      const file = await compile(builder.encode(), { weights })
      const device = await newDevice()
      const small = binding(device, weights === 'f32' ? 14_000 : 9_000)
      const session = await onGpu(file, { executionProviders: [{ name: 'webgpu', device: small }] })
      assert.ok(session.dispatches.filter(({ kernel }) => kernel.startsWith('gemm')).length > 3)
      const input = noise([3, 40])
      const results = await session.run({ [session.inputNames[0]]: input })
      assertNear(results[session.outputNames[0]].data as Float32Array, await expectedOf(file, input))
      assert.is((await session.profile({ [session.inputNames[0]]: input })).length, 2)
      await session.release()
      device.destroy()
    }
  })

  test('the time of every call', async () => {
    const session = await onGpu(lenet)
    const times = await session.profile({ [session.inputNames[0]]: noise([1, 1, 32, 32]) })
    assert.ok(times.length >= session.dispatches.length / 2)
    assert.ok(times.every(({ milliseconds }) => milliseconds >= 0))
    assert.ok(times.some(({ kernel }) => kernel === 'conv'))
    await session.release()
  })

  test('auto says which device and why', async () => {
    const session = await InferenceSession.create(lenet, { executionProviders: ['auto'] })
    assert.ok(['wasm', 'webgpu'].includes(session.device))
    assert.match(session.choice!, new RegExp(`^${session.device}: (there is no other device|[0-9.]+ ms a run on)`))
    const input = noise([1, 1, 32, 32])
    const results = await session.run({ [session.inputNames[0]]: input })
    assertNear(results[session.outputNames[0]].data as Float32Array, await expectedOf(lenet, input))
    await session.release()
  })

  test('auto keeps the session that won, and releases the other', async () => {
    const device = await newDevice()
    let made = 0
    const arenas = new Set<GPUBuffer>()
    const counting = disguised(device, {
      createBuffer(descriptor: GPUBufferDescriptor) {
        const buffer = device.createBuffer(descriptor)
        if (descriptor.label !== 'cairn arena') return buffer
        made++
        arenas.add(buffer)
        return Object.assign(buffer, { destroy: () => arenas.delete(buffer) })
      }
    })
    const input = noise([1, 1, 32, 32])
    const expected = await expectedOf(lenet, input)
    const executionProviders = [{ name: 'auto', device: counting }]
    for (const preferredOutputLocation of ['cpu', 'gpu-buffer'] as const) {
      made = 0
      const session = await InferenceSession.create(lenet, { executionProviders, preferredOutputLocation })
      assert.is(made, 1)
      assert.is(arenas.size, Number(session.device === 'webgpu'))
      const against = preferredOutputLocation === 'cpu' ? '[0-9.]+ ms a run on' : 'wasm refused a trial: preferred'
      assert.match(session.choice!, new RegExp(`^(.+): [0-9.]+ ms a run on \\1 against ${against}`))
      const output = (await session.run({ [session.inputNames[0]]: input }))[session.outputNames[0]]
      assert.is(output.location, preferredOutputLocation)
      assertNear((await output.getData(true)) as Float32Array, expected)
      await session.release()
      assert.is(arenas.size, 0)
    }
    const stop = new AbortController()
    const stopping = disguised(device, {
      createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
        stop.abort()
        return device.createComputePipelineAsync(descriptor)
      }
    })
    const options = { executionProviders: [{ name: 'auto', device: stopping }], signal: stop.signal }
    assert.is(await InferenceSession.create(lenet, options).catch(({ name }) => name), 'AbortError')
    device.destroy()
  })

  test('half precision', async () => {
    const file = await compile(zoo['resnet20-cifar'].build(), { weights: 'f16' })
    const input = noise([2, 3, 32, 32])
    const expected = await expectedOf(file, input)
    const single = await onGpu(file, { executionProviders: [{ name: 'webgpu', precision: 'f32' }] })
    const results = await single.run({ [single.inputNames[0]]: input })
    assertNear(results[single.outputNames[0]].data as Float32Array, expected)
    await single.release()
    const half = [{ name: 'webgpu', precision: 'f16' }] as const
    if (!(await (await gpu()).requestAdapter())!.features.has('shader-f16')) {
      await rejects(() => onGpu(file, { executionProviders: half }), /shader-f16/)
      return skip(
        'activations in half precision',
        'this adapter has no shader-f16; they are only checked, not computed'
      )
    }
    const session = await onGpu(file, { executionProviders: half })
    assert.is(session.precision, 'f16')
    const narrow = await session.run({ [session.inputNames[0]]: input })
    assertNear(narrow[session.outputNames[0]].data as Float32Array, expected, 2e-2)
    await session.release()
  })
}

/** A device of Dawn's without a GPU: it checks everything and computes nothing. */
async function checkingDevice(): Promise<GPUDevice> {
  const adapter = await (await openNullGpu()).requestAdapter()
  return adapter!.requestDevice({ requiredFeatures: ['shader-f16'] })
}

test('ResNet-50 needs at most 18 pipelines, the one that makes filters included', async () => {
  const device = await checkingDevice()
  const made: string[] = []
  const counting = disguised(device, {
    createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      made.push(descriptor.label!)
      return device.createComputePipelineAsync(descriptor)
    }
  })
  const file = await compile(zoo.resnet50.build())
  const session = await onGpu(file, { executionProviders: [{ name: 'webgpu', device: counting }] })
  console.log(`ResNet-50: ${made.length} pipelines, ${session.dispatches.length} dispatches`)
  assert.ok(made.length > 3 && made.length <= 18, made.join())
  await session.release()
  device.destroy()
})

test('shaders are valid in half precision too, in runs', async () => {
  const device = await checkingDevice()
  const networks = ['lenet5', 'squeezenet1.1', 'mobilenet-v3-small', 'shufflenet-v2'].map(name => zoo[name].build())
  const builder = manyKernels(random)
  for (const model of [...networks, builder.encode()]) {
    const file = await compile(model, { weights: 'f16' })
    const executionProviders = [{ name: 'webgpu', device, precision: 'f16' }] as const
    const session = await InferenceSession.create(file, { executionProviders })
    assert.is(session.precision, 'f16')
    const [{ name, shape }] = session.inputMetadata
    const dims = shape.map((size, axis) => (typeof size === 'number' ? size : axis ? 40 : 2))
    const results = await session.run({ [name]: noise(dims) })
    assert.equal(Object.keys(results), session.outputNames)
    await session.release()
  }
  device.destroy()
})

const reason = await withoutGpu()
if (reason) skip('WebGPU', reason)
else {
  env.webgpu.gpu = await gpu()
  suiteOnGpu()
}
test.run()
