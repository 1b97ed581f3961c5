// The shapes that networks come in: where they are cut, what of them is learnt, and that what is exported is what was trained.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyPatch, type Dataset, decodePatch, Trainer, type TrainerOptions } from '../../train/index.js'
import { headBias, headWeights } from '../../train/network/network.js'
import { OnnxBackbone } from '../../train/network/onnx-backbone.js'
import { settingsOf } from '../../train/options.js'
import { Stage } from '../../train/stage.js'
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

test('auxiliary classifiers add their share to what is learnt, and are not kept', async () => {
  const random = new Random('auxiliary')
  const [filters, area] = [4, 6 * 6]
  const constants = {
    w: random.values(filters * channels * 9, [-0.3, 0.3]),
    v: random.values(filters * filters * 9, [-0.3, 0.3])
  }
  /** A convolution, behind which a classifier stands at once, and another behind one more; either may be the first output. */
  const network = (isFirst: boolean) => {
    const m = new ModelBuilder(new Random('auxiliary network'))
    const x = m.input(['N', channels, side, side], 'float32', [-1, 1], 'x')
    const weights = (name: 'w' | 'v', inputs: number) =>
      m.constant({ dtype: 'float32', dims: [filters, inputs, 3, 3], data: constants[name] }, name)
    const near = m.add('Tanh', [m.add('Conv', [x, weights('w', channels)])])
    const far = m.add('Tanh', [m.add('Conv', [near, weights('v', filters)], { pads: [1, 1, 1, 1] })])
    const classifier = (maps: string) =>
      m.add('Softmax', [m.add('MatMul', [m.add('Flatten', [maps]), m.weights([filters * area, 5])])])
    const both = [classifier(near), classifier(far)]
    return m.output(...(isFirst ? both : both.reverse())).encode()
  }
  const heads = [0, 1].map(() => Float32Array.from(random.values(3 * filters * area, [-0.2, 0.2])))
  const batch = {
    features: Float32Array.from(random.values(2 * size)),
    targets: Float32Array.of(1, 0, 0, 0, 0, 1),
    weights: Float32Array.of(0.5, 0.5)
  }
  /** What a step of plain descent changes, and what a patch would hold. */
  const change = async (model: Uint8Array, auxiliary: number, given: ReadonlyMap<string, Float32Array>) => {
    const backbone = new OnnxBackbone(model, {})
    const settings = settingsOf({ classes, optimizer: 'sgd', unfreeze: 'all', backboneRate: 1, auxiliary })
    const stage = await Stage.open(backbone, backbone.findCut({ unfreeze: 'all' }), settings)
    stage.load(given)
    const before = stage.weights()
    const { loss } = await stage.step(batch, { rate: Float32Array.of(1, 1, 1), follow: 0 }, 1)
    const after = stage.weights()
    const differences = new Map([...before].map(([name, old]) => [name, after.get(name)!.map((x, i) => x - old[i])]))
    const kept = stage.tensors().map(({ name }) => name)
    await stage.release()
    return { loss, differences, kept }
  }
  const [near, far] = heads
  const alone = await change(network(false), 0, new Map([[headWeights, far]]))
  const other = await change(network(true), 0, new Map([[headWeights, near]]))
  const together = await change(
    network(false),
    0.3,
    new Map([
      [headWeights, far],
      ['#auxiliary.0.weight', near]
    ])
  )
  const close = (a: Float32Array, b: Float32Array) =>
    a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-5, `${value}, ${b[i]}`))
  const of = (changed: typeof alone, name: string) => changed.differences.get(name)!
  close(
    of(together, 'w'),
    of(alone, 'w').map((value, i) => value + 0.3 * of(other, 'w')[i])
  )
  close(of(together, 'v'), of(alone, 'v'))
  close(of(together, headWeights), of(alone, headWeights))
  close(
    of(together, '#auxiliary.0.weight'),
    of(other, headWeights).map(value => 0.3 * value)
  )
  assert.ok(of(other, 'w').some(value => Math.abs(value) > 1e-3))
  assert.ok(Math.abs(together.loss - alone.loss) < 1e-6)
  assert.equal(together.kept.sort(), alone.kept.sort())
})

test('stochastic pooling draws in proportion, and weighs in evaluations', async () => {
  const random = new Random('stochastic')
  const m = new ModelBuilder(random)
  const x = m.input(['N', 1, 7, 7])
  const window = { kernel_shape: [3, 3], strides: [2, 2] }
  const squares = m.add('AveragePool', [m.add('Mul', [x, x])], window)
  const pooled = m.add('Div', [squares, m.add('Max', [m.add('AveragePool', [x], window), m.scalar(1e-12)])])
  m.output(m.add('MatMul', [m.add('Flatten', [pooled]), m.weights([9, 3])]))
  const backbone = new OnnxBackbone(m.encode(), {})
  const cut = { ...backbone.findCut({}), boundary: m.inputs[0].name }
  const stage = await Stage.open(backbone, cut, settingsOf({ classes, optimizer: 'sgd' }))
  // Scores are the first, the fifth and the last window.
  const places = [0, 4, 8]
  const weight = Float32Array.from({ length: 27 }, (_, i) => Number(places[Math.floor(i / 9)] === i % 9))
  stage.load(new Map([[headWeights, weight]]))
  const features = Float32Array.from(random.values(49, [0.1, 2]), (value, i) => (i % 5 ? value : 0))
  const windowAt = (place: number) => {
    const [top, left] = [2 * Math.floor(place / 3), 2 * (place % 3)]
    return Array.from({ length: 9 }, (_, i) => features[(top + Math.floor(i / 3)) * 7 + left + (i % 3)])
  }
  const steps = 600
  const counts = places.map(() => new Map<number, number>())
  for (let seed = 1; seed <= steps; seed++) {
    const batch = { features, targets: Float32Array.of(1, 0, 0), weights: Float32Array.of(1) }
    const { logits } = await stage.step(batch, { rate: new Float32Array(3), follow: 0 }, seed)
    logits.forEach((value, k) => counts[k].set(value, (counts[k].get(value) ?? 0) + 1))
  }
  for (const [k, place] of places.entries()) {
    const elements = windowAt(place)
    const sum = elements.reduce((a, b) => a + b, 0)
    for (const value of counts[k].keys()) assert.ok(value > 0 && elements.includes(value), `${value} is in no window`)
    for (const value of elements) {
      const share = value / sum
      const limit = 6 * Math.sqrt((share * (1 - share)) / steps)
      assert.ok(Math.abs((counts[k].get(value) ?? 0) / steps - share) <= limit, `${value}: ${counts[k].get(value)}`)
    }
  }
  const scores = await stage.scores(features, 1)
  places.forEach((place, k) => {
    const elements = windowAt(place)
    const weighted = elements.reduce((a, b) => a + b * b, 0) / elements.reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(scores[k] - weighted) < 1e-5, `${scores[k]}, ${weighted}`)
  })
  await stage.release()
})

test('DropConnect leaves out weights of the head, and the others make up for them', async () => {
  const m = new ModelBuilder(new Random('dropconnect'))
  const [inputs, outputs, share, rate] = [40, 3, 0.3, 0.1]
  m.output(m.add('Gemm', [m.add('Flatten', [m.input(['N', inputs, 1, 1])]), m.weights([inputs, outputs])]))
  const backbone = new OnnxBackbone(m.encode(), {})
  const classes = ['a', 'b', 'c']
  const settings = settingsOf({ classes, optimizer: 'sgd', dropConnect: share })
  const stage = await Stage.open(backbone, backbone.findCut({}), settings)
  const random = new Random('dropconnect data')
  let missing = 0
  for (let step = 1; step <= 20; step++) {
    const before = stage.weights()
    const features = Float32Array.from(random.values(inputs, [-0.5, 0.5]))
    const targets = Float32Array.from(classes, (_, i) => Number(step % 3 === i))
    const batch = { features, targets, weights: Float32Array.of(1) }
    const { logits } = await stage.step(batch, { rate: Float32Array.of(rate, 1, 1), follow: 0 }, step)
    const after = stage.weights()
    const [w, learnt, b] = [before.get(headWeights)!, after.get(headWeights)!, before.get(headBias)!]
    // What was left out has not been learnt.
    const isKept = w.map((value, i) => Number(value !== learnt[i]))
    missing += isKept.filter(kept => !kept).length
    const scores = Array.from(b, (bias, o) =>
      features.reduce((sum, x, i) => sum + (x * w[o * inputs + i] * isKept[o * inputs + i]) / (1 - share), bias)
    )
    const powers = scores.map(Math.exp)
    const sum = powers.reduce((x, y) => x + y)
    scores.forEach((score, o) => {
      assert.ok(Math.abs(score - logits[o]) < 1e-4, `${score}, ${logits[o]}`)
      const error = powers[o] / sum - targets[o]
      features.forEach((x, i) => {
        const at = o * inputs + i
        const wanted = w[at] - (rate * error * x * isKept[at]) / (1 - share)
        assert.ok(Math.abs(learnt[at] - wanted) < 1e-4, `${learnt[at]}, ${wanted}`)
      })
    })
  }
  const all = 20 * inputs * outputs
  assert.ok(Math.abs(missing / all - share) < 6 * Math.sqrt((share * (1 - share)) / all), `${missing} of ${all}`)
  await stage.release()
})

test('differences that cross a kink are not held against a gradient', async () => {
  const { model, x } = begin('kink')
  const zeros = model.constant({ dtype: 'float32', dims: [size, 1], data: new Array(size).fill(0) })
  // Just inside of the reach of a difference of 1e-5.
  const near = model.constant({ dtype: 'float32', dims: [1], data: [0.9995e-5] })
  const hidden = model.add('Relu', [model.add('Gemm', [model.add('Flatten', [x]), zeros, near])])
  model.output(model.add('Gemm', [hidden, model.weights([1, 10])]))
  const trainer = await Trainer.create(model.encode(), { classes, unfreeze: 'all', seed: baseSeed % 1000 })
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
