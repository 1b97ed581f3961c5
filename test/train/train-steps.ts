// What single steps do besides descending: auxiliary classifiers, stochastic pooling and DropConnect, against plain computations.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import '../../train/index.js'
import { headBias, headWeights } from '../../train/network/network.js'
import { OnnxBackbone } from '../../train/network/onnx-backbone.js'
import { settingsOf } from '../../train/options.js'
import { Stage } from '../../train/stage.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`steps of training (seed ${baseSeed})`)
const classes = ['a', 'b', 'c']
const [channels, side] = [3, 8]
const size = channels * side * side

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
    await stage.load(given)
    const before = stage.weights()
    const { loss } = await stage.step(batch, { rate: Float32Array.of(1, 1, 1), follow: 0 }, 1)
    await stage.settle()
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
    await stage.settle()
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

test.run()
