// The parts of training that need no network: random numbers, schedules, initialisation, metrics, splits and
// neighbours. Augmentations have tests of their own (train-augment.ts).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph, Value } from '../../compiler/graph/index.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { CairnError } from '../../runtime/base/errors.js'
import { fansOf, he, normal, parseInitialisation, xavier } from '../../runtime/train/initialise.js'
import { accuracy, confusionMatrix, predictionsOf, qualityOf, RunningMean } from '../../runtime/train/metrics.js'
import { FeatureIndex, type Metric } from '../../runtime/train/neighbours.js'
import { Random } from '../../runtime/train/random.js'
import { growingRates, RangeTest, SmoothedMean, suggestRate } from '../../runtime/train/range-test.js'
import { parseSchedule } from '../../runtime/train/schedule.js'
import { classWeights, miniBatches, stratifiedSplit } from '../../runtime/train/split.js'
import { type Loss, losses, lossNames, writeLoss } from '../../train/network/losses.js'
import { lowerStep, makeDifferentiable } from '../../train/network/pipeline.js'
import { baseSeed } from '../support/random.js'

const test = suite(`train-parts (seed ${baseSeed})`)
const random = new Random(baseSeed)

const list = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, i) => make(i))
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const mean = (values: readonly number[]) => sum(values) / values.length
const near = (value: number, wanted: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(value - wanted) <= tolerance, `${value} is not ${wanted}`)

function refused(call: () => unknown, pattern: RegExp): void {
  assert.throws(call, (error: unknown) => error instanceof CairnError && pattern.test(error.message))
}

test('losses written as graphs are those of their formulas', () => {
  const [count, classes] = [5, 4]
  const labels = list(count, () => random.whole(classes))
  const scores = Float32Array.from(list(count * classes, () => random.between(-2, 2)))
  const weights = list(count, () => random.between(0, 1))
  const formulas: Record<Loss, (row: readonly number[], label: number) => number> = {
    'cross-entropy': (row, label) => Math.log(sum(row.map(score => Math.exp(score - row[label])))),
    mse: (row, label) => mean(row.map((score, k) => (score - (k === label ? 1 : 0)) ** 2)),
    hinge: (row, label) => sum(row.map((score, k) => (k === label ? 0 : Math.max(0, 1 + score - row[label]))))
  }
  for (const loss of lossNames) {
    const graph = new Graph(loss)
    const [given, targets, shares] = [classes, classes, 1].map(
      (width, i) => new Value(`${i}`, 'float32', [count, width])
    )
    graph.inputs = [given, targets, shares]
    graph.outputs = [writeLoss(graph, loss, given, targets, shares)]
    graph.outputNames = ['loss']
    graph.outputTypes = ['float32']
    makeDifferentiable(graph)
    const hot = labels.flatMap(label => list(classes, k => Number(k === label)))
    const [[made]] = Interpreter.of(lowerStep(graph)).run([scores, hot, weights].map(data => Float64Array.from(data)))
    const rows = labels.map((_, i) => scores.subarray(i * classes, (i + 1) * classes))
    near(made, sum(rows.map((row, i) => weights[i] * formulas[loss]([...row], labels[i]))))
    rows.forEach((row, i) => {
      near(losses[loss].plain(row, labels[i]), formulas[loss]([...row], labels[i]), 1e-5)
    })
    near(
      losses[loss].guessing(classes),
      formulas[loss](
        list(classes, () => (loss === 'mse' ? 1 / classes : 0)),
        1
      )
    )
  }
})

test('xoshiro128** as its authors publish it: the words after 1, 2, 3, 4', () => {
  const known = new Random(0)
  known.state = [1, 2, 3, 4]
  assert.equal(
    list(4, () => known.next() * 2 ** 32),
    [11520, 0, 5927040, 70819200]
  )
})

test('a restored state goes on alike, forks depend on seed and label only', () => {
  const one = new Random(baseSeed)
  list(random.whole(50), () => one.next())
  const other = new Random(baseSeed)
  other.state = JSON.parse(JSON.stringify(one.state))
  const draw = (source: Random) => list(20, () => [source.next(), source.normal(), source.whole(7)])
  assert.equal(draw(other), draw(one))
  const fork = (source: Random, label: string | number) => draw(source.fork(label))
  assert.equal(fork(one, 'a'), fork(new Random(baseSeed), 'a'))
  const forks = [fork(one, 'a'), fork(one, 'b'), fork(one, 'ab'), fork(one, ''), fork(one.fork('a'), 'b'), draw(one)]
  assert.is(new Set(forks.map(String)).size, forks.length)
  assert.not.equal(fork(one, 'a'), fork(new Random(baseSeed + 1), 'a'))
  // One number of 32 bits may well be the same in two of them.
  assert.is(new Set(list(2000, i => String(draw(one.fork(i))))).size, 2000)
  refused(() => (one.state = [0, 0, 0, 0]), /not all 0/)
  refused(() => (one.state = [1, 2, 3]), /four whole numbers/)
  for (const seed of [-1, 0.5, 2 ** 32, Number.NaN]) refused(() => new Random(seed), /a whole number from 0/)
  refused(() => one.whole(0), /are allowed/)
})

test('numbers are spread as they should be, within six deviations', () => {
  const count = 60_000
  const uniform = list(count, () => random.between(-1, 3))
  assert.ok(uniform.every(value => value >= -1 && value < 3))
  near(mean(uniform), 1, 6 * Math.sqrt(16 / 12 / count))
  const gauss = list(count, () => random.normal())
  near(mean(gauss), 0, 6 / Math.sqrt(count))
  near(mean(gauss.map(value => value ** 2)), 1, 6 * Math.sqrt(2 / count))
  near(mean(gauss.map(value => value ** 4)), 3, 6 * Math.sqrt(96 / count))
  for (const [limit, share] of [
    [1, 0.682689],
    [2, 0.9545],
    [3, 0.9973]
  ]) {
    const inside = mean(gauss.map(value => Number(Math.abs(value) < limit)))
    near(inside, share, 6 * Math.sqrt((share * (1 - share)) / count))
  }
  const wholes = list(7, () => 0)
  for (let i = 0; i < count; i++) wholes[random.whole(7)]++
  for (const drawn of wholes) near(drawn / count, 1 / 7, 6 * Math.sqrt(6 / 49 / count))
})

test('shuffling gives every order equally often', () => {
  const count = 24_000
  const seen = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const order = random.shuffle([0, 1, 2, 3]).join('')
    seen.set(order, (seen.get(order) ?? 0) + 1)
  }
  assert.is(seen.size, 24)
  const chi = sum([...seen.values()].map(drawn => (drawn - count / 24) ** 2 / (count / 24)))
  assert.ok(chi < 70, `chi² ${chi} of 23 degrees of freedom`)
})

test('schedules at known points', () => {
  const at = (text: string, step: number, total = 100, perEpoch = 10) => parseSchedule(text)(step, total, perEpoch, [])
  assert.equal(
    [0, 50, 99].map(step => at('constant', step)),
    [1, 1, 1]
  )
  near(at('step=2:0.5', 19), 1)
  near(at('step=2:0.5', 20), 0.5)
  near(at('step=2:0.5', 99), 0.5 ** 4)
  near(at('step', 100, 1000, 10), 0.1)
  near(at('step=3', 30), 0.1)
  assert.equal(
    [at('cosine', 0), at('cosine', 50), at('cosine', 100)].map(value => +value.toFixed(9)),
    [1, 0.5, 0]
  )
  near(at('cosine', 25), (1 + Math.SQRT1_2) / 2)
  assert.equal(
    [0, 1, 3, 4].map(step => at('constant,warmup=4', step)),
    [0.25, 0.5, 1, 1]
  )
  near(at('cosine,warmup=20', 20), 1)
  near(at('cosine,warmup=2epochs', 60), 0.5)
  near(at('cosine,warmup=1epoch', 4), 0.5)
  near(at('cosine,warmup=0.5epochs', 4), 1)
  near(at('step=2:0.5,warmup=1epoch', 30), 0.5)
  const total = 1 + random.whole(1000)
  const rates = list(total, step => parseSchedule('cosine')(step, total, 7, []))
  assert.ok(rates.every((rate, i) => rate > 0 && rate <= 1 && (i === 0 || rate < rates[i - 1])))
})

test('an exponential schedule falls by its factor each epoch, one on a plateau when losses stay', () => {
  const at = (step: number) => parseSchedule('exponential=0.8')(step, 100, 10, [])
  for (const step of [0, 7, 10, 55]) near(at(step), 0.8 ** (step / 10))
  near(parseSchedule('exponential')(20, 100, 10, []), 0.81)
  const after = (text: string, losses: readonly number[]) => parseSchedule(text)(0, 100, 10, losses)
  near(after('plateau=1:0.5', []), 1)
  near(after('plateau=1:0.5', [2, 2, 1.9, 1.9]), 1)
  near(after('plateau=1:0.5', [2, 1.9, 1.9, 1.9]), 0.5)
  near(after('plateau=1:0.5', [2, 1.9, 1.9, 1.9, 1.9]), 0.5)
  near(after('plateau=1:0.5', [2, 1.9, 1.9, 1.9, 1.9, 1.9]), 0.25)
  near(after('plateau=1:0.5', [2, 1.9, 1.9, 1.9, 1.8, 1.9]), 0.5)
  near(after('plateau=0:0.5', [2, 2 - 1e-5]), 0.5)
  near(after('plateau', [1, 1, 1, 1, 1]), 0.1)
  near(parseSchedule('plateau=0:0.5,warmup=4')(1, 100, 10, [1, 1]), 0.5)
})

test('schedules that make no sense are refused', () => {
  for (const text of ['exponential=2', 'exponential=-1', 'plateau=1.5', 'plateau=-1', 'plateau=2:2', 'plateau=1:1:1'])
    refused(() => parseSchedule(text), /^schedule .*allowed$/)
  for (const text of ['', 'linear', 'toString', 'cosine=3', 'step=0', 'step=1.5', 'step=2:2', 'step=1:2:3', 'step=:1'])
    refused(() => parseSchedule(text), /^schedule .*(allowed|takes no value)$/)
  for (const text of [
    'cosine,warmup',
    'cosine,warmup=-1',
    'cosine,warmup=1.5',
    'cosine,warmup=2days',
    'cosine,decay=1'
  ])
    refused(() => parseSchedule(text), /^schedule .*allowed$/)
})

test('a range test grows its rates, stops where the loss blows up, and suggests a rate below', () => {
  const rates = growingRates(1e-4, 1, 5)
  ;[1e-4, 1e-3, 1e-2, 1e-1, 1].forEach((rate, i) => near(rates[i], rate, 1e-12))
  const run = new RangeTest({ low: 1e-5, high: 100, steps: 141, keep: 0.5 })
  // x² / 2 + 1 under descent with noisy slopes, which blows up behind a rate of 2.
  let x = 10
  let steps = 0
  for (let going = true; going; steps++) {
    const { rate } = run
    going = run.add((x * x) / 2 + 1)
    x -= rate * (x + 0.1 * random.normal())
  }
  assert.ok(steps < 141 && run.losses.length === steps && run.rates.length === steps)
  const { rate, steepest, tenth } = run.suggestion()
  assert.ok(rate === tenth && steepest! < 2 && tenth < 1 && rate > 1e-3, `${rate} ${steepest} ${tenth}`)
  assert.is(run.add(Number.NaN), false)
  const bare = new RangeTest({ steps: 7, keep: 0 })
  assert.equal(
    [2, 1, 3.9, 4.1, 1, Number.POSITIVE_INFINITY].map(loss => bare.add(loss)),
    [true, true, true, false, true, false]
  )
  const valley = suggestRate([1e-4, 1e-3, 1e-2, 1e-1, 1], [5, 4.9, 2, 1, 30])
  assert.equal(valley, { rate: 1e-2, steepest: 1e-2, tenth: 1e-2 })
  assert.is(suggestRate([1, 2, 3], [1, 2, 3]).steepest, undefined)
  refused(() => suggestRate([1, 2, 3], [1, 2, Number.NaN]), /at least 3/)
  refused(() => growingRates(0, 1, 5), /are allowed/)
})

test('a smoothed mean has no bias to 0', () => {
  const value = random.between(1, 5)
  const constant = new SmoothedMean(0.98)
  for (let i = 0; i < 5; i++) near(constant.add(value), value)
  const two = new SmoothedMean(0.5)
  two.add(0)
  near(two.add(3), 2)
})

test('initialisations have the variance of their papers', () => {
  const shape = [64, 16, 3, 3]
  const count = 64 * 16 * 9
  assert.equal(fansOf(shape), { in: 144, out: 576 })
  assert.equal(fansOf([64, 1, 3, 3], 64), { in: 9, out: 9 })
  assert.equal(fansOf([10, 512]), { in: 512, out: 10 })
  const variance = (text: string) => {
    const weights = new Float32Array(count).fill(5)
    parseInitialisation(text)(weights, shape, random)
    near(mean([...weights]), 0, 6 * Math.sqrt(mean([...weights].map(value => value ** 2)) / count))
    return mean([...weights].map(value => value ** 2))
  }
  const tolerance = 6 * Math.sqrt(2 / count)
  near(variance('he') / (2 / 144), 1, tolerance)
  near(variance('xavier') / (2 / 720), 1, tolerance)
  near(variance('normal=0.4') / 0.16, 1, tolerance)
  near(variance('normal') / 1e-4, 1, tolerance)
  assert.is(variance('zeros'), 0)
  const [bounded, again] = [new Float32Array(count), new Float32Array(count)]
  xavier(bounded, shape, new Random(7))
  xavier(again, shape, new Random(7))
  assert.equal(again, bounded)
  assert.ok(bounded.every(value => Math.abs(value) <= Math.fround(Math.sqrt(6 / 720))))
  refused(() => he(new Float32Array(5), [2, 3], random), /5 weights of shape \[2,3\]/)
  refused(() => normal()(new Float32Array(5), [5], random), /is needed/)
  for (const text of ['', 'ones', 'he=2', 'normal=', 'normal=-1', 'he,he', 'toString'])
    refused(() => parseInitialisation(text), /^initialisation .*(allowed|takes no value)$/)
})

test('metrics of a known case', () => {
  assert.equal(predictionsOf([0.1, 0.9, 0, 3, 2, 1, 5, 5, 4], 3), [1, 0, 0])
  const labels = [0, 0, 0, 1, 1, 2]
  const predicted = [0, 1, 1, 1, 0, 2]
  near(accuracy(predicted, labels), 0.5)
  const matrix = confusionMatrix(predicted, labels, 4)
  assert.equal(matrix, [
    [1, 2, 0, 0],
    [1, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 0]
  ])
  const [first, second, , none] = qualityOf(matrix)
  assert.equal(first, { count: 3, precision: 1 / 2, recall: 1 / 3 })
  assert.equal(second, { count: 2, precision: 1 / 3, recall: 1 / 2 })
  assert.ok(none.count === 0 && Number.isNaN(none.precision) && Number.isNaN(none.recall))
  refused(() => accuracy([1], [1, 2]), /1 predictions and 2 labels/)
  refused(() => confusionMatrix([4], [0], 4), /prediction 4 of sample 0: 0 to 3/)
  const loss = new RunningMean()
  assert.ok(Number.isNaN(loss.mean))
  loss.add(1, 32)
  loss.add(4, 16)
  near(loss.mean, 2)
})

test('a split keeps the share of every class and loses nothing', () => {
  const labels = list(100 + random.whole(400), () => random.whole(5) ** 2)
  const validation = random.between(0.05, 0.6)
  const split = stratifiedSplit(labels, { validation, seed: baseSeed })
  assert.equal(split, stratifiedSplit(labels, { validation, seed: baseSeed }))
  assert.not.equal(split, stratifiedSplit(labels, { validation, seed: baseSeed + 1 }))
  assert.equal(
    [...split.training, ...split.validation].sort((a, b) => a - b),
    labels.map((_, i) => i)
  )
  for (const label of new Set(labels)) {
    const of = (indices: readonly number[]) => indices.filter(index => labels[index] === label).length
    near(of(split.validation), validation * (of(split.training) + of(split.validation)), 0.5 + 1e-9)
  }
  assert.equal(stratifiedSplit([0, 0, 1], { validation: 0.1, seed: 1 }).validation.length, 1, 'one of the class of two')
  assert.equal(stratifiedSplit(labels, { validation: 0 }).validation, [])
  refused(() => stratifiedSplit(labels, { validation: 1 }), /below 1 is allowed/)
  refused(() => stratifiedSplit(labels, { groups: [1] }), /1 groups for/)
})

test('groups stay together, and every class has both sides', () => {
  const groups = list(300, () => random.whole(60))
  const labels = groups.map(group => group % 3)
  const { training, validation } = stratifiedSplit(labels, { validation: 0.25, seed: baseSeed, groups })
  assert.is(training.length + validation.length, 300)
  const sides = (indices: readonly number[]) => new Set(indices.map(index => groups[index]))
  assert.equal(
    [...sides(training)].filter(group => sides(validation).has(group)),
    []
  )
  near(validation.length, 75, 30)
  for (const indices of [training, validation]) assert.is(new Set(indices.map(index => labels[index])).size, 3)
  const unequal = stratifiedSplit(
    list(12, () => 0),
    { groups: list(12, i => Number(i >= 10)), seed: baseSeed }
  )
  assert.equal(unequal.validation, [10, 11])
  const large = stratifiedSplit(
    list(12, () => 0),
    { validation: 0.9, groups: list(12, i => i >> 2), seed: baseSeed }
  )
  assert.is(large.training.length, 4)
})

test('class weights undo unequal frequencies', () => {
  const labels = [...list(30, () => 0), ...list(10, () => 2)]
  const weights = classWeights(labels, 3)
  assert.equal(
    [...weights].map(weight => +weight.toFixed(4)),
    [0.6667, 0, 2]
  )
  near(mean(labels.map(label => weights[label])), 1, 1e-6)
  refused(() => classWeights([3], 3), /label 3/)
})

test('mini-batches hold every sample once, in another order each epoch', () => {
  const samples = list(1 + random.whole(200), i => 3 * i)
  const size = 1 + random.whole(40)
  const epoch = (number: number) => miniBatches(samples, { size, seed: baseSeed, epoch: number })
  const batches = epoch(4)
  assert.equal(epoch(4), batches)
  assert.equal(
    batches.flat().sort((a, b) => a - b),
    samples
  )
  assert.ok(batches.slice(0, -1).every(batch => batch.length === size))
  assert.is(batches.at(-1)!.length, samples.length % size || size)
  if (samples.length > 20) assert.not.equal(epoch(5).flat(), batches.flat())
  refused(() => miniBatches(samples, { size: 0, seed: 0, epoch: 0 }), /mini-batches of 0/)
})

test('neighbours are those of a plain sort', () => {
  for (const metric of ['cosine', 'euclidean'] as Metric[]) {
    const dimensions = 1 + random.whole(20)
    const index = new FeatureIndex(dimensions, metric)
    assert.equal(index.classify(new Float32Array(dimensions), 3), [])
    const vectors = list(100, () => Float32Array.from({ length: dimensions }, () => random.normal()))
    vectors.push(new Float32Array(dimensions), vectors[3], vectors[3])
    vectors.forEach((vector, i) => index.add(vector, i % 4))
    const feature = random.whole(2) ? vectors[3] : Float32Array.from(vectors[5], value => value + random.normal())
    const dot = (a: Float32Array, b: Float32Array) => sum([...a].map((value, i) => value * b[i]))
    const distance = (vector: Float32Array) => {
      if (metric === 'euclidean') return Math.hypot(...feature.map((value, i) => value - vector[i]))
      return 1 - dot(feature, vector) / (Math.sqrt(dot(feature, feature) * dot(vector, vector)) || 1)
    }
    const wanted = vectors
      .map((vector, i) => ({ i, distance: distance(vector) }))
      .sort((a, b) => a.distance - b.distance)
    for (const k of [0, 1, 7, 500]) {
      const found = index.nearest(feature, k)
      assert.is(found.length, Math.min(k, vectors.length))
      found.forEach((neighbour, i) => {
        near(neighbour.distance, wanted[i].distance, 1e-5)
        near(neighbour.distance, distance(vectors[neighbour.index]), 1e-5)
        assert.is(neighbour.label, neighbour.index % 4)
      })
      assert.is(new Set(found.map(neighbour => neighbour.index)).size, found.length)
    }
    refused(() => index.add([], 0), /a feature vector of 0 elements/)
  }
})

test('neighbours vote, and of equal votes the nearer class wins', () => {
  const index = new FeatureIndex(1, 'euclidean')
  ;[1, 2, 2.5, 9].forEach((value, i) => index.add([value], i < 1 ? 7 : i < 3 ? 8 : 9))
  assert.equal(index.classify([0], 3), [
    { label: 8, share: 2 / 3 },
    { label: 7, share: 1 / 3 }
  ])
  assert.is(index.classify([0], 2)[0].label, 7)
  assert.is(index.classify([8], 1)[0].label, 9)
})

test.run()
