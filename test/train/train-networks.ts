// The shapes that networks come in: where they are cut, what of them is learnt, and that what is exported is what was trained.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyPatch, type Dataset, decodePatch, Trainer, type TrainerOptions } from '../../train/index.js'
import { type Attributes, type Dim, type DType, ModelBuilder } from '../support/onnx/model.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`networks to train (seed ${baseSeed})`)

const classes = ['a', 'b', 'c']
const [channels, side] = [3, 8]
const size = channels * side * side

function examples(count = 18): Dataset {
  const random = new Random('examples')
  const all = Array.from({ length: count }, (_, i) =>
    Float32Array.from(random.values(size), value => value + (i % 3) - 1)
  )
  return { labels: all.map((_, i) => i % 3), input: index => all[index] }
}

interface Built {
  readonly model: ModelBuilder
  readonly x: string
  conv(from: string, filters: number, options?: { weights?: string; bias?: string; attributes?: Attributes }): string
}

function begin(name: string, batch: Dim = 'N', dtype: DType = 'float32'): Built {
  const model = new ModelBuilder(new Random(`network ${name}`))
  const x = model.input([batch, channels, side, side], dtype, [-1, 1], 'x')
  const widths = new Map<string, number>([[x, channels]])
  return {
    model,
    x,
    conv(from, filters, { weights, bias, attributes = {} } = {}) {
      const inputs = widths.get(from)!
      const w = weights ?? model.weights([filters, inputs, 3, 3], [-0.4, 0.4])
      const made = model.add('Relu', [
        model.add('Conv', [from, w, bias ?? model.weights([filters], [0, 0.2])], { pads: [1, 1, 1, 1], ...attributes })
      ])
      widths.set(made, filters)
      return made
    }
  }
}

/** Trains, exports, and compares all examples with onnxruntime; the patch's tensors are what was learnt. */
async function agrees(
  model: ModelBuilder | Uint8Array,
  options: Partial<TrainerOptions>,
  limit = 1e-4
): Promise<{ names: string[]; trainer: Trainer }> {
  const data = examples()
  const bytes = model instanceof ModelBuilder ? model.encode() : model
  const trainer = await Trainer.create(bytes, {
    classes,
    epochs: 2,
    batchSize: 5,
    learningRate: 0.01,
    seed: 3,
    ...options
  })
  await trainer.fit(data)
  const patch = trainer.patch()
  const oracle = await Oracle.load(await applyPatch(bytes, patch))
  const [input] = oracle.inputNames
  for (let index = 0; index < 4; index++) {
    const elements = await data.input(index, undefined)
    const feeds = { [input]: { dtype: 'float32' as const, dims: [1, channels, side, side], data: elements } }
    const { probabilities } = await oracle.run(feeds)
    const own = await trainer.predict(elements)
    own.forEach((value, k) => {
      const wanted = Number(probabilities.data[k])
      assert.ok(Math.abs(value - wanted) < limit, `${value}, and ${wanted} in onnxruntime`)
    })
  }
  await oracle.release()
  await trainer.release()
  return { names: decodePatch(patch).tensors.map(({ name }) => name), trainer }
}

test('a convolution as head is replaced by pooling and a matrix product', async () => {
  const { model, x, conv } = begin('squeeze')
  const maps = conv(conv(x, 8), 6)
  const head = model.add('Relu', [model.add('Conv', [maps, model.weights([10, 6, 1, 1])])])
  model.output(model.add('Softmax', [model.add('Flatten', [model.add('GlobalAveragePool', [head])])]))
  const { trainer } = await agrees(model, { unfreeze: 1 })
  assert.equal([trainer.cut.pooled, trainer.cut.blocks], [true, 2])
})

test('a fully connected head reads all of its maps', async () => {
  const { model, x, conv } = begin('flatten')
  const maps = model.add('MaxPool', [conv(x, 5)], { kernel_shape: [2, 2], strides: [2, 2] })
  model.output(model.add('Gemm', [model.add('Flatten', [maps]), model.weights([5 * 16, 10])]))
  const { trainer, names } = await agrees(model, { unfreeze: 'all' })
  assert.is(trainer.cut.pooled, false)
  assert.is(names.length, 4)
})

test('local responses, resized maps and mirrored borders are trained through', async () => {
  const { model, x, conv } = begin('local')
  const local = model.add('LRN', [conv(x, 6)], { size: 5, alpha: { float: 0.1 } })
  const padded = model.add('Pad', [local, model.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' })
  const scales = model.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })
  const wide = model.add('Resize', [padded, undefined, scales], { mode: 'linear' })
  const last = model.add('Relu', [model.add('Conv', [wide, model.weights([5, 6, 3, 3], [-0.4, 0.4])])])
  model.output(
    model.add('Gemm', [model.add('Flatten', [model.add('GlobalAveragePool', [last])]), model.weights([5, 10])])
  )
  const { names } = await agrees(model, { unfreeze: 'all', headEpochs: 0 })
  assert.is(names.length, 5)
})

test('products with a bias behind them learn both', async () => {
  const { model, x } = begin('bias')
  const flat = model.add('Flatten', [x])
  const hidden = model.add('Relu', [
    model.add('Add', [model.add('MatMul', [flat, model.weights([size, 7], [-0.2, 0.2])]), model.weights([7])])
  ])
  const head = model.add('Add', [model.weights([10]), model.add('MatMul', [hidden, model.weights([7, 10])])])
  model.output(model.add('Softmax', [head]))
  const { names } = await agrees(model, { unfreeze: 'all', headEpochs: 0 })
  assert.is(names.length, 4)
  await agrees(model, { initialise: 'he' })
})

test('a model of one image at once is trained in batches', async () => {
  const { model, x, conv } = begin('one', 1)
  const flat = model.add('Reshape', [conv(conv(x, 4), 4), model.ints([1, -1])])
  const hidden = model.add('Relu', [model.add('Gemm', [flat, model.weights([256, 6], [-0.2, 0.2])])])
  model.output(model.add('Gemm', [hidden, model.weights([6, 10])]))
  await agrees(model, { unfreeze: 2 })
  await agrees(model, {})
})

test('what a trained and a frozen layer share changes in the trained one alone', async () => {
  const { model, x, conv } = begin('shared')
  const first = conv(x, 4)
  const [weights, bias] = [model.weights([4, 4, 3, 3], [-0.3, 0.3]), model.weights([4])]
  const maps = conv(conv(conv(first, 4, { weights, bias }), 4, { weights, bias }), 4, { weights, bias })
  model.output(
    model.add('Gemm', [model.add('Flatten', [model.add('GlobalAveragePool', [maps])]), model.weights([4, 10])])
  )
  const one = await agrees(model, { unfreeze: 1, headEpochs: 0 })
  assert.is(one.names.length, 4)
  // Two trained layers keep one tensor of weights between them, and have a bias each.
  const two = await agrees(model, { unfreeze: 2, headEpochs: 0 })
  assert.is(two.names.length, 5)
})

test('equal tensors that an exporter has merged are learnt apart', async () => {
  const { model, x, conv } = begin('merged')
  const [ones, zeros] = [1, 0].map(value =>
    model.constant({ dtype: 'float32', dims: [4], data: new Array(4).fill(value) })
  )
  const norm = (from: string) => model.add('BatchNormalization', [from, ones, zeros, zeros, ones])
  const maps = model.add('Relu', [
    norm(conv(norm(conv(x, 4)), 4, { weights: model.weights([4, 4, 3, 3]), bias: zeros }))
  ])
  model.output(
    model.add('Gemm', [model.add('Flatten', [model.add('GlobalAveragePool', [maps])]), model.weights([4, 10])])
  )
  const { names } = await agrees(model, { initialise: 'he', epochs: 3 })
  assert.is(names.length, 2 * 2 + 2 * 4 + 2)
  assert.is(new Set(names).size, names.length)
})

test('a model of halves is exported with halves where it computes in them', async () => {
  const { model, x } = begin('halves')
  const half = (dims: readonly number[], range: readonly [number, number]) =>
    model.constant({
      dtype: 'float16',
      dims,
      data: model.random.values(
        dims.reduce((a, b) => a * b),
        range
      )
    })
  const maps = model.add('Relu', [
    model.add('Conv', [model.add('Cast', [x], { to: 10 }), half([5, 3, 3, 3], [-0.3, 0.3]), half([5], [0, 0.2])])
  ])
  const flat = model.add('Flatten', [model.add('GlobalAveragePool', [maps])])
  model.output(model.add('Cast', [model.add('Gemm', [flat, half([5, 10], [-1, 1])])], { to: 1 }))
  await agrees(model, {}, 5e-3)
  await agrees(model, { unfreeze: 1 }, 5e-3)
})

test('maps that lie with channels innermost are read by channel', async () => {
  const { model, x, conv } = begin('nhwc')
  const rows = model.add('Reshape', [
    model.add('Transpose', [conv(x, 5)], { perm: [0, 2, 3, 1] }),
    model.ints([-1, 320])
  ])
  model.output(model.add('MatMul', [rows, model.weights([320, 10])]))
  const { trainer } = await agrees(model, { unfreeze: 1 })
  assert.ok(trainer.cut.features.startsWith('relu'))
})

test('a name that the head might have taken is left to the model', async () => {
  const { model, x } = begin('names')
  const w = model.constant({ dtype: 'float32', dims: [6, size], data: model.random.values(6 * size) }, 'head.weight')
  const hidden = model.add('Tanh', [model.add('Gemm', [model.add('Flatten', [x]), w], { transB: 1 })])
  model.output(model.add('Gemm', [hidden, model.weights([6, 10])]))
  const { names } = await agrees(model, { unfreeze: 1 })
  assert.equal(names.sort(), ['#head.bias', '#head.weight', 'head.weight'])
})

test('running statistics of a network from scratch are the mean of its first batches', async () => {
  const { model, x } = begin('running')
  const [ones, zeros] = [1, 0].map(value =>
    model.constant({ dtype: 'float32', dims: [channels], data: new Array(channels).fill(value) })
  )
  const [mean, variance] = ['mean', 'variance'].map(name =>
    model.constant({ dtype: 'float32', dims: [channels], data: model.random.values(channels, [0.5, 3]) }, name)
  )
  const normal = model.add('BatchNormalization', [x, ones, zeros, mean, variance])
  const maps = model.add('Relu', [model.add('Conv', [normal, model.weights([4, channels, 3, 3])])])
  model.output(
    model.add('Gemm', [model.add('Flatten', [model.add('GlobalAveragePool', [maps])]), model.weights([4, 10])])
  )
  const data = examples()
  const training = data.labels.map((_, i) => i)
  const trainer = await Trainer.create(model.encode(), { classes, initialise: 'he', epochs: 1, batchSize: 6 })
  await trainer.fit(data, { split: { training, validation: [] } })
  const { tensors } = decodePatch(trainer.patch())
  const all = await Promise.all(training.map(i => data.input(i, undefined)))
  const meanOf = (elements: readonly number[]) => elements.reduce((a, b) => a + b, 0) / elements.length
  const planes = (c: number) => all.map(each => [...each.subarray(c * side * side, (c + 1) * side * side)])
  for (let c = 0; c < channels; c++) {
    const wanted = meanOf(planes(c).flat())
    const found = tensors.find(({ name }) => name === 'mean')!.data[c]
    assert.ok(Math.abs(found - wanted) < 1e-5, `channel ${c}: mean ${found}, and ${wanted} of all examples`)
  }
  await trainer.release()
})

test('differences that cross a kink are not held against a gradient', async () => {
  const { model, x } = begin('kink')
  const zeros = model.constant({ dtype: 'float32', dims: [size, 1], data: new Array(size).fill(0) })
  // Just inside of the reach of a difference of 1e-5.
  const near = model.constant({ dtype: 'float32', dims: [1], data: [0.9995e-5] })
  const hidden = model.add('Relu', [model.add('Gemm', [model.add('Flatten', [x]), zeros, near])])
  model.output(model.add('Gemm', [hidden, model.weights([1, 10])]))
  // A fixed seed for the head: with some the gradient behind the rectifier is almost nothing.
  const trainer = await Trainer.create(model.encode(), { classes, unfreeze: 'all', seed: 3 })
  const { gradients } = await trainer.check(examples())
  assert.is(gradients.length, 4)
  for (const { name, error, elements } of gradients) {
    assert.ok(error < 1e-4, `${name}: ${error}`)
    // The head's weights read numbers of 1e-5, of whose gradients rounding may leave nothing to be tried.
    assert.ok(elements > 0 || name.includes('head.weight'), name)
  }
  await trainer.release()
})

async function refuses(act: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  let refused: Error | undefined
  await act().catch(error => (refused = error))
  assert.match(refused?.message ?? 'nothing was refused', pattern)
}

test('sizes that examples cannot have are refused', async () => {
  const classifier = (batch: Dim, ...sides: Dim[]) => {
    const model = new ModelBuilder(new Random('sizes'))
    const pooled = model.add('GlobalAveragePool', [model.input([batch, 3, ...sides], 'float32', [-1, 1], 'x')])
    return model.output(model.add('Gemm', [model.add('Flatten', [pooled]), model.weights([3, 10])])).encode()
  }
  await refuses(() => Trainer.create(classifier(4, 8, 8), { classes }), /"x" is fixed to 4 examples at once/)
  await refuses(() => Trainer.create(classifier('N', 'H', 'W'), { classes }), /"x" leaves H, W free; .*give shapes/)
  const shaped = await Trainer.create(classifier('N', 'H', 'W'), { classes, shapes: { x: [1, 3, 8, 8] } })
  await shaped.fit(examples(), {})
  await refuses(() => shaped.predict(new Float32Array(5)), /an example of "x" holds 5 elements; 192 are needed/)
  const data = examples()
  await refuses(
    () => shaped.fit({ ...data, input: i => (i === 7 ? new Float32Array(1920) : data.input(i, undefined)) }),
    /holds 1920 elements; 192 are needed/
  )
  await refuses(() => shaped.fit({ ...data, labels: data.labels.map(String) as never }), /example 0 has class 0/)
  await shaped.release()
  for (const classWeights of [
    [1, -1, 1],
    [0, 0, 0],
    [1, 2]
  ])
    await refuses(() => Trainer.create(classifier('N', 8, 8), { classes, classWeights }), /class weight/)
  await refuses(
    () => Trainer.create(classifier('N', 8, 8), { classes, unfreeze: 1, epochs: 3, headEpochs: 3 }),
    /leave none/
  )
})

test.run()
