// Training on WebGPU: the same steps as on the CPU path, states that outlive sizes and are given back, what a lost device costs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { zoo } from '../../models/index.js'
import { env } from '../../runtime/index.js'
import { lease } from '../../runtime/webgpu/device/device.js'
import { type Dataset, decodePatch, Trainer, type TrainerOptions } from '../../train/index.js'
import { disguised, gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { skip } from '../support/skip.js'

const test = suite(`train on webgpu (seed ${baseSeed})`)
const random = new Random('train on webgpu')
const classes = ['dark', 'bright', 'striped']

function pictures(count: number, channels: number, size: number): Dataset {
  const labels = Array.from({ length: count }, (_, i) => i % classes.length)
  const examples = labels.map(label =>
    Float32Array.from({ length: channels * size * size }, (_, i) => {
      const base = label === 2 ? Number(i % 8 < 4) : label
      return base + random.next() - 0.5
    })
  )
  return { labels, input: index => examples[index] }
}

/** Every kind of layer that a small CNN has: dense, strided and depthwise convolutions, norms, both poolings. */
function network(): Uint8Array {
  const m = new ModelBuilder(random)
  const norm = (x: string, channels: number) => {
    const [scale, variance] = [m.weights([channels], [0.5, 1.5]), m.weights([channels], [0.5, 1.5])]
    return m.add('BatchNormalization', [x, scale, m.weights([channels]), m.weights([channels]), variance])
  }
  let x = m.input(['N', 3, 14, 14], 'float32', [-1, 1], 'x')
  x = m.add('Relu', [norm(m.add('Conv', [x, m.weights([6, 3, 3, 3])], { pads: [1, 1, 1, 1] }), 6)])
  x = m.add('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  x = m.add('HardSwish', [norm(m.add('Conv', [x, m.weights([6, 1, 3, 3])], { group: 6, pads: [1, 1, 1, 1] }), 6)])
  x = m.add('Sigmoid', [m.add('Conv', [x, m.weights([8, 6, 1, 1]), m.weights([8])], { strides: [2, 2] })])
  x = m.add('Flatten', [m.add('GlobalAveragePool', [x])])
  m.output(m.add('Gemm', [x, m.weights([8, 3]), m.weights([3])]))
  return m.encode()
}

async function learnt(model: Uint8Array, data: Dataset, device: string, options: Partial<TrainerOptions>) {
  const trainer = await Trainer.create(model, { classes, seed: baseSeed % 1000, ...options, device })
  const { history, validation } = await trainer.fit(data)
  const { tensors } = decodePatch(trainer.patch())
  await trainer.release()
  return { history, validation, tensors }
}

/** Both devices learn the same, up to rounding; adam divides by what may be next to nothing. */
async function compare(model: Uint8Array, data: Dataset, options: Partial<TrainerOptions>, limit = 1e-3) {
  const [gpu, cpu] = [await learnt(model, data, 'webgpu', options), await learnt(model, data, 'wasm', options)]
  gpu.history.forEach(({ trainLoss }, epoch) => {
    const wanted = cpu.history[epoch].trainLoss
    assert.ok(Math.abs(trainLoss - wanted) < limit * Math.abs(wanted), `epoch ${epoch}: ${trainLoss}, ${wanted}`)
  })
  assert.equal(
    gpu.tensors.map(({ name }) => name),
    cpu.tensors.map(({ name }) => name)
  )
  gpu.tensors.forEach(({ name, data: weights }, t) => {
    const scale = Math.max(...cpu.tensors[t].data.map(Math.abs))
    weights.forEach((value, i) => {
      const wanted = cpu.tensors[t].data[i]
      assert.ok(Math.abs(value - wanted) < limit * scale, `${name} at ${i}: ${value}, ${wanted} on the CPU`)
    })
  })
}

function suiteOnGpu(): void {
  // Batches of 5, 5 and 2, and validation of others: the arena grows, and what is learnt moves with it.
  for (const optimizer of ['nesterov', 'adamw'] as const)
    test(`the head and a block of LeNet-5 by ${optimizer}`, () =>
      compare(zoo.lenet5.build(), pictures(15, 1, 32), {
        ...{ optimizer, unfreeze: 1, headEpochs: 0, epochs: 2, batchSize: 5 },
        ...{ dropout: 0.4, weightDecay: 0.01, l1: 1e-3, clip: 0.5 }
      }))

  test('a network from scratch, with batch statistics', () =>
    compare(network(), pictures(15, 3, 14), { initialise: 'he', optimizer: 'sgd', epochs: 2, batchSize: 6 }))

  test('a lost device ends training with one line', async () => {
    const device = await (await (await gpu()).requestAdapter())!.requestDevice()
    env.webgpu.device = disguised(device, {})
    try {
      const data = pictures(12, 1, 32)
      const trainer = await Trainer.create(zoo.lenet5.build(), { classes, initialise: 'he', device: 'webgpu' })
      await rejects(() => trainer.fit(data, { onEpoch: () => device.destroy() }), /lost .*learnt|the application's own/)
      await trainer.release()
    } finally {
      env.webgpu.device = undefined
    }
  })

  test('auto says what a step takes, or why there is no trial', async () => {
    const trainer = await Trainer.create(zoo.lenet5.build(), { classes, device: 'auto', batchSize: 4 })
    assert.ok(['wasm', 'webgpu'].includes(trainer.settings.device))
    assert.match(trainer.choice!, /^[\d.]+ ms a step on wasm, [\d.]+ on webgpu$|computes on the CPU$/)
  })
}

const reason = await withoutGpu()
if (reason) skip('training on WebGPU', reason)
else {
  env.webgpu.gpu = await gpu()
  // One device, whose pipelines all trainings share.
  await lease()
  suiteOnGpu()
}
test.run()
