// The trainer: what it learns, that it learns the same at any number of threads and after being killed, what it exports, and
// what it says of data that cannot be learnt.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import {
  applyPatch,
  type Dataset,
  decodePatch,
  type EpochRecord,
  lossNames,
  Trainer,
  type TrainerOptions
} from '../../train/index.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`train (seed ${baseSeed})`)

const classes = ['bars', 'stripes', 'checks']

/** Patterns of 32×32 with noise, which differ by where they are bright. */
function patterns(count: number, channels: number, noise = 0.6): Dataset {
  const random = new Random('patterns')
  const labels = Array.from({ length: count }, (_, i) => i % classes.length)
  const examples = labels.map(label => {
    const data = new Float32Array(channels * 32 * 32)
    const [dx, dy] = [random.int(0, 7), random.int(0, 7)]
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < 32; y++)
        for (let x = 0; x < 32; x++) {
          const [u, v] = [(x + dx) % 8 < 4, (y + dy) % 8 < 4]
          const bright = label === 0 ? u : label === 1 ? v : u !== v
          data[(c * 32 + y) * 32 + x] = Number(bright) + noise * (random.next() * 2 - 1)
        }
    return data
  })
  return { labels, input: index => examples[index] }
}

const lenet = zoo.lenet5.build()
const small = { batchSize: 16, seed: baseSeed % 1000 }

async function trained(
  model: Uint8Array,
  data: Dataset,
  options: Partial<TrainerOptions>,
  fit: Parameters<Trainer['fit']>[1] = {}
) {
  const trainer = await Trainer.create(model, { classes, ...small, ...options })
  const result = await trainer.fit(data, fit)
  const patch = trainer.patch()
  return { trainer, result, patch }
}

const bits = (patch: Uint8Array) => Buffer.from(patch).toString('base64')

for (const optimizer of ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const)
  test(`${optimizer}: the CPU path learns what double precision learns, dropout included`, async () => {
    const data = patterns(12, 1)
    const split = { training: data.labels.map((_, i) => i), validation: [] }
    const options = {
      unfreeze: 1,
      headEpochs: 0,
      epochs: 2,
      optimizer,
      dropout: 0.4,
      weightDecay: 0.01,
      l1: 1e-3,
      clip: 0.5
    }
    const [fast, exact] = await Promise.all(
      ['wasm', 'reference'].map(device => trained(lenet, data, { ...options, device, batchSize: 5 }, { split }))
    )
    const [tensors, wanted] = [fast, exact].map(({ patch }) => decodePatch(patch).tensors)
    assert.ok(tensors.length > 2)
    tensors.forEach(({ name, data: learnt }, t) => {
      const scale = Math.max(...wanted[t].data.map(Math.abs))
      learnt.forEach((value, i) => {
        assert.ok(Math.abs(value - wanted[t].data[i]) < 1e-3 * scale, `${name} at ${i}: ${value}, ${wanted[t].data[i]}`)
      })
    })
    await Promise.all([fast.trainer.release(), exact.trainer.release()])
  })

test('a head on frozen random features learns, and whole networks learn better', async () => {
  const data = patterns(300, 1, 0.3)
  const head = await trained(lenet, data, { epochs: 40, learningRate: 0.01 })
  assert.ok(head.result.validation!.accuracy > 0.6, `a head alone: ${head.result.validation!.accuracy}`)
  assert.is(head.trainer.cut.trained, 0)
  assert.ok(head.patch.length < 8192, `a patch of ${head.patch.length} bytes`)
  const whole = await trained(lenet, data, { epochs: 50, initialise: 'xavier', learningRate: 0.001 })
  assert.ok(whole.result.validation!.accuracy > 0.9, `the whole: ${whole.result.validation!.accuracy}`)
  await head.trainer.release()
  await whole.trainer.release()
})

test('the same seed gives the same bits at any number of threads; another seed gives others', async () => {
  const data = patterns(48, 3)
  const model = zoo['resnet20-cifar'].build()
  const runs: string[] = []
  for (const [numThreads, seed] of [
    [1, 5],
    [3, 5],
    [2, 6]
  ]) {
    const { trainer, patch } = await trained(model, data, {
      initialise: 'he',
      epochs: 2,
      optimizer: 'nesterov',
      weightDecay: 1e-4,
      clip: 1,
      dropout: 0.3,
      numThreads,
      seed
    })
    runs.push(bits(patch))
    await trainer.release()
  }
  assert.is(runs[0], runs[1])
  assert.is.not(runs[0], runs[2])
})

for (const optimizer of ['sgd', 'momentum', 'nesterov', 'adam', 'adamw'] as const)
  test(`${optimizer}: a training that was killed goes on to the same bits`, async () => {
    const data = patterns(60, 1)
    const options = {
      unfreeze: 2,
      epochs: 5,
      headEpochs: 2,
      optimizer,
      learningRate: optimizer.startsWith('adam') ? 0.003 : 0.02,
      weightDecay: 1e-3,
      l1: 1e-5,
      labelSmoothing: 0.1,
      classWeights: 'balanced' as const,
      schedule: 'cosine,warmup=2'
    }
    const checkpoints: Uint8Array[] = []
    const whole = await trained(lenet, data, options, { onCheckpoint: bytes => void checkpoints.push(bytes) })
    assert.is(checkpoints.length, 5)
    for (const at of [0, 1, 3]) {
      const again = await trained(lenet, data, options, { resume: checkpoints[at] })
      assert.is(bits(again.patch), bits(whole.patch), `from epoch ${at + 1}`)
      assert.equal(
        again.result.history.map(({ trainLoss }) => trainLoss),
        whole.result.history.map(({ trainLoss }) => trainLoss)
      )
      await again.trainer.release()
    }
    await whole.trainer.release()
    const other = await Trainer.create(lenet, { classes, ...small, ...options, learningRate: 0.5 })
    await refuses(() => other.fit(data, { resume: checkpoints[0] }), /checkpoint is of another training/)
    const damaged = checkpoints[0].slice()
    damaged[damaged.length >> 1] ^= 16
    await refuses(() => other.fit(data, { resume: damaged }), /checkpoint is damaged/)
    await other.release()
  })

async function refuses(act: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  try {
    await act()
  } catch (error) {
    assert.match((error as Error).message, pattern)
    assert.not.match((error as Error).message, /\n/)
    return
  }
  assert.unreachable(`nothing was refused as ${pattern}`)
}

for (const [name, options, channels] of [
  ['lenet5', { unfreeze: 2 }, 1],
  ['lenet5', { initialise: 'xavier' }, 1],
  ['resnet20-cifar', {}, 3],
  ['resnet20-cifar', { unfreeze: 3, batchNorm: true }, 3],
  ['resnet20-cifar', { initialise: 'he' }, 3]
] as const)
  test(`${name} with ${JSON.stringify(options)}: the exported .onnx says in onnxruntime what the trainer says`, async () => {
    const data = patterns(48, channels)
    const model = zoo[name].build()
    const { trainer, patch, result } = await trained(model, data, { epochs: 2, ...options })
    const onnx = await applyPatch(model, patch)
    assert.equal(decodePatch(patch).classes, classes)
    const oracle = await Oracle.load(onnx)
    const session = await InferenceSession.create(await compile(onnx))
    const [input] = session.inputNames
    let [right, alike] = [0, 0]
    for (const index of result.split.validation) {
      const elements = await data.input(index, undefined)
      const dims = [1, channels, 32, 32]
      const own = await trainer.predict(elements)
      const wanted = (await oracle.run({ [input]: { dtype: 'float32', dims, data: elements } })).probabilities.data
      const { probabilities } = await session.run({ [input]: new Tensor('float32', elements, dims) })
      own.forEach((probability, k) => {
        assert.ok(Math.abs(probability - Number(wanted[k])) < 1e-4, `${probability} and ${wanted[k]}`)
        assert.ok(Math.abs(Number(probabilities.data[k]) - Number(wanted[k])) < 1e-4)
      })
      const best = own.indexOf(Math.max(...own))
      if (best === data.labels[index]) right++
      if (best === result.validation!.predictions[result.split.validation.indexOf(index)]) alike++
    }
    assert.is(alike, result.split.validation.length)
    assert.is(right / result.split.validation.length, result.validation!.accuracy)
    await Promise.all([oracle.release(), session.release(), trainer.release()])
  })

for (const weights of ['f32', 'f16'] as const)
  test(`a head on a compiled model with ${weights} weights: the merged file says what the trainer says`, async () => {
    const data = patterns(48, 1)
    const model = await compile(lenet, { weights })
    const { trainer, patch, result } = await trained(model, data, { epochs: 4, learningRate: 0.01 })
    const merged = await applyPatch(model, patch)
    assert.ok(merged.length < model.length + 4096, `${merged.length} bytes of ${model.length}`)
    const session = await InferenceSession.create(merged)
    assert.equal(session.outputNames, ['probabilities', 'logits'])
    for (const count of [1, 3]) {
      const some = result.split.validation.slice(0, count)
      const elements = new Float32Array(count * 1024)
      for (const [i, index] of some.entries()) elements.set(await data.input(index, undefined), i * 1024)
      const { probabilities } = await session.run({ input: new Tensor('float32', elements, [count, 1, 32, 32]) })
      for (const [i, index] of some.entries()) {
        const own = await trainer.predict(await data.input(index, undefined))
        own.forEach((probability, k) => {
          assert.ok(Math.abs(probability - Number(probabilities.data[i * 3 + k])) < 2e-3)
        })
      }
    }
    await refuses(() => Trainer.create(model, { classes, unfreeze: 1 }), /only a new head/)
    await Promise.all([session.release(), trainer.release()])
  })

test('a patch fits its own backbone only', async () => {
  const data = patterns(24, 1)
  const { trainer, patch } = await trained(lenet, data, { epochs: 1 })
  const other = zoo.lenet5.build({ seed: 7 } as never)
  await refuses(() => applyPatch(other, patch), /another backbone/)
  const damaged = patch.slice()
  damaged[damaged.length - 3] ^= 1
  await refuses(() => applyPatch(lenet, damaged), /patch is damaged/)
  await refuses(() => applyPatch(lenet, lenet), /not a patch/)
  await trainer.release()
})

test('a loss that breaks keeps the best weights, and says where it broke', async () => {
  const data = patterns(48, 1)
  const poisoned: Dataset = {
    labels: data.labels,
    input: async index => {
      const elements = await data.input(index, undefined)
      return index === 17 ? elements.map(() => Number.NaN) : elements
    }
  }
  const split = { training: data.labels.map((_, i) => i).filter(i => i < 36), validation: [36, 37, 38, 39, 40, 41] }
  const { trainer, result } = await trained(lenet, poisoned, { epochs: 3 }, { split })
  assert.match(result.stopped!, /the loss became NaN in epoch 1, step \d+, at learning rate/)
  const probabilities = await trainer.predict(await data.input(0, undefined))
  assert.ok(probabilities.every(Number.isFinite))
  await trainer.release()
})

test('what cannot be trained is refused in one line', async () => {
  const data = patterns(24, 1)
  await refuses(() => Trainer.create(lenet, { classes: ['one'] }), /at least two classes/)
  await refuses(() => Trainer.create(lenet, { classes: ['a', 'b', 'a'] }), /two classes are named "a"/)
  await refuses(() => Trainer.create(lenet, { classes, learningRate: Number.NaN }), /learningRate NaN/)
  await refuses(() => Trainer.create(lenet, { classes, optimizer: 'lion' as never }), /optimizer lion; sgd, /)
  await refuses(() => Trainer.create(lenet, { classes, cut: 'nowhere' }), /cut "nowhere"/)
  await refuses(() => Trainer.create(lenet, { classes, unfreeze: -1 }), /unfreeze -1/)
  const trainer = await Trainer.create(lenet, { classes: [...classes, 'none'] })
  await refuses(() => trainer.fit(data), /no examples of "none"/)
  await trainer.release()
})

test('an abort keeps what has been learnt', async () => {
  const data = patterns(48, 1)
  const abort = new AbortController()
  const records: EpochRecord[] = []
  const { trainer, result } = await trained(
    lenet,
    data,
    { epochs: 50 },
    {
      signal: abort.signal,
      onEpoch: record => {
        records.push(record)
        if (records.length === 3) abort.abort()
      }
    }
  )
  assert.match(result.stopped!, /told to stop/)
  assert.is(result.history.length, 3)
  assert.is(records.length, 3)
  await trainer.release()
})

test('gradients, overfitting, learning rates and neighbours can be tried before training', async () => {
  const data = patterns(48, 1)
  const trainer = await Trainer.create(lenet, { classes, initialise: 'xavier', learningRate: 0.005 })
  const { gradients, overfit } = await trainer.check(data)
  assert.is(gradients.length, 10)
  for (const { name, error, elements } of gradients) assert.ok(elements > 0 && error < 1e-4, `${name}: ${error}`)
  assert.ok(overfit.learnt, `loss ${overfit.loss} after ${overfit.steps} steps`)
  const { rates, losses, suggestion } = await trainer.findRate(data)
  assert.is(rates.length, losses.length)
  assert.ok(suggestion.rate > 1e-5 && suggestion.rate < 1, `${suggestion.rate}`)
  const found = await trainer.nearest(data, 3)
  assert.ok(found.neighbours.every(({ nearest }) => nearest.length === 3))
  await trainer.release()
})

for (const loss of lossNames)
  test(`${loss}: its gradients are those of its formula, and it is what is made small and reported`, async () => {
    const data = patterns(36, 1, 0.2)
    const options = { loss, unfreeze: 1, headEpochs: 0, epochs: 6, learningRate: 0.003 }
    const { trainer, result } = await trained(lenet, data, options)
    const { gradients } = await trainer.check(data)
    for (const { name, error, elements } of gradients) assert.ok(elements > 0 && error < 1e-4, `${name}: ${error}`)
    const { history, validation, split } = result
    assert.ok(history.at(-1)!.trainLoss < history[0].trainLoss, history.map(({ trainLoss }) => trainLoss).join())
    let wanted = 0
    for (const index of split.validation) {
      const label = data.labels[index]
      const logits = (await trainer.predict(await data.input(index, undefined))).map(Math.log)
      const apart = logits.map(score => score - logits[label])
      // Probabilities keep how far scores are apart, which is all that two of the losses ask for.
      if (loss === 'cross-entropy') wanted -= logits[label]
      if (loss === 'hinge') wanted += apart.reduce((sum, by, k) => sum + (k === label ? 0 : Math.max(0, by + 1)), 0)
    }
    // The formula of mse needs the scores themselves (train-parts).
    if (loss !== 'mse')
      assert.ok(Math.abs(validation!.loss - wanted / split.validation.length) < 1e-3, `${validation!.loss}`)
    await trainer.release()
  })

test('a head that takes everything for the largest class says what helps', async () => {
  const { input } = patterns(1, 1)
  const labels = Array.from({ length: 60 }, (_, i) => (i % 10 < 8 ? 0 : (i % 10) - 7))
  const alike: Dataset = { labels, input: () => input(0, undefined) }
  const options = { epochs: 10, learningRate: 0.05 }
  const warned = async (more: Partial<TrainerOptions>, fit: Parameters<Trainer['fit']>[1] = {}) => {
    const { trainer, result } = await trained(lenet, alike, { ...options, ...more }, fit)
    await trainer.release()
    return result.warnings.join('\n')
  }
  assert.match(await warned({}), /taken for "bars", which has \d+ of \d+ examples: --class-weights balanced/)
  const all = { split: { training: labels.map((_, i) => i), validation: [] } }
  assert.match(await warned({}, all), /taken for "bars", which has 48 of 60 examples: --class-weights balanced/)
  assert.not.match(await warned({ classWeights: [3, 1, 1] }), /--class-weights balanced/)
  const { trainer, result } = await trained(lenet, patterns(48, 1, 0.1), { epochs: 10 })
  assert.not.match(result.warnings.join(), /taken for/)
  await trainer.release()
})

test('zeros do not learn, and the trainer says so', async () => {
  const { trainer, result } = await trained(lenet, patterns(48, 1), { initialise: 'zeros', epochs: 3 })
  assert.ok(
    result.warnings.some(text => text.includes('nothing is learnt')),
    result.warnings.join()
  )
  await trainer.release()
})

test.run()
