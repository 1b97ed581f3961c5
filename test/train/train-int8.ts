// Fine-tuning behind fake quantisation: what passes through is what bytes leave, gradients pass straight, and accuracy comes back.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Flags } from '../../cli/terminal/index.js'
import { int8Accuracy, quantiseAfter } from '../../cli/train/int8.js'
import type { Job } from '../../cli/train/job.js'
import { differentiate, fakeQuantise } from '../../compiler/gradients/index.js'
import { Graph, Value } from '../../compiler/graph/index.js'
import { buildGraph, compile } from '../../compiler/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { zoo } from '../../models/index.js'
import { encode } from '../../runtime/file/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { type EpochRecord, type FineTuneOptions, type FitResult, Trainer } from '../../train/index.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`training for int8 (seed ${baseSeed})`)

test('values become those of bytes, and gradients pass inside of the range alone', async () => {
  const random = new Random('fake')
  const [count, filters] = [64, 3]
  const graph = new Graph('fake')
  const x = new Value('x', 'float32', [filters, count])
  const dy = new Value('dy', 'float32', [filters, count])
  graph.inputs = [x, dy]
  const scales = Float32Array.from({ length: filters }, () => random.uniform(0.01, 0.1))
  const [low, high] = [-random.int(20, 120), random.int(20, 120)]
  const constant = (name: string, data: Float32Array) => graph.constant(name, data, [filters, 1])
  const steps = {
    scale: constant('s', scales),
    inverse: constant(
      'i',
      scales.map(s => 1 / s)
    ),
    low,
    high
  }
  const y = fakeQuantise(new Writer(graph, 'fake'), x, steps)
  const [dx] = differentiate(graph, new Map([[y, dy]]), [x])
  graph.outputs = [y, dx!]
  graph.outputNames = ['y', 'dx']
  graph.outputTypes = ['float32', 'float32']
  const { program, summary } = buildGraph(graph)
  const session = await InferenceSession.create(encode(program, summary), { executionProviders: ['wasm'] })
  // Not so near to where two steps meet that single precision decides.
  const given = Float32Array.from({ length: filters * count }, (_, i) => {
    const step = random.int(low - 20, high + 20)
    return (step + random.uniform(-0.45, 0.45)) * scales[Math.floor(i / count)]
  })
  const seeds = given.map(() => random.uniform(-1, 1))
  const feeds = {
    x: new Tensor('float32', given, [filters, count]),
    dy: new Tensor('float32', seeds, [filters, count])
  }
  const results = await session.run(feeds)
  await session.release()
  given.forEach((value, i) => {
    const scale = scales[Math.floor(i / count)]
    const step = Math.round(value / scale)
    const wanted = Math.min(Math.max(step, low), high) * scale
    assert.ok(Math.abs((results.y.data as Float32Array)[i] - wanted) < 1e-5 * Math.abs(wanted) + 1e-6, `y ${i}`)
    const passes = step >= low && step <= high ? seeds[i] : 0
    assert.ok(
      Math.abs((results.dx.data as Float32Array)[i] - passes) < 1e-5,
      `dx ${i}: step ${step} of ${low}..${high}`
    )
  })
})

/** Pictures of 32×32 that are bright on the left, or on top, so faintly that bytes matter. */
function dataset(each: number) {
  const random = new Random('pictures')
  const labels = Array.from({ length: 2 * each }, (_, i) => i % 2)
  const inputs = labels.map(label =>
    Float32Array.from({ length: 1024 }, (_, p) => ((label ? p >> 5 : p & 31) < 16 ? 0.3 : 0) + random.uniform(-1, 1))
  )
  return { labels, input: (index: number) => inputs[index] }
}

for (const unfreeze of [0, 1, 'all'] as const)
  test(`a network of which ${unfreeze || 'no'} blocks are trained is quantised, fine-tuned and measured`, async () => {
    const data = dataset(40)
    const options = {
      classes: ['left', 'top'],
      unfreeze,
      epochs: 6,
      learningRate: 3e-3,
      batchSize: 8,
      backboneRate: 1,
      seed: 1
    }
    const trainer = await Trainer.create(zoo.lenet5.build(), options)
    const fitted = await trainer.fit(data, { split: { validation: 0.4 } })
    const epochs: number[] = []
    const quantised = await trainer.quantise(data, fitted, {
      above: -100,
      onEpoch: ({ epoch }) => void epochs.push(epoch)
    })
    assert.is(quantised.float, fitted.validation!.accuracy)
    assert.equal(epochs, [1, 2])
    const best = Math.max(quantised.before, quantised.after!)
    assert.is(await accuracyOf(quantised.model, data, fitted.split.validation), best)
    assert.ok(trainer.patch().length > 0)

    const again = await trainer.quantise(data, fitted, { above: 100 })
    assert.is(again.after, undefined)
    assert.is(again.before, best, 'the better weights are gone on with')
    await trainer.release()
  })

async function accuracyOf(model: Uint8Array, data: ReturnType<typeof dataset>, indices: readonly number[]) {
  const session = await InferenceSession.create(await compile(model), { executionProviders: ['wasm'] })
  let right = 0
  for (const index of indices) {
    const results = await session.run({ input: new Tensor('float32', data.input(index), [1, 1, 32, 32]) })
    const [left, top] = results.probabilities.data as Float32Array
    right += Number(Number(top > left) === data.labels[index])
  }
  await session.release()
  return right / indices.length
}

test('the command line tells what fine-tuning has brought', async () => {
  const random = new Random('told')
  const [float, before, after] = [1, 2, 3].map(() => random.uniform(0, 1))
  const model = new Uint8Array(0)
  const scripted = {
    async quantise(_data: unknown, _fitted: unknown, { onStep, onEpoch }: FineTuneOptions) {
      onStep?.(1, 2, 0.5)
      onEpoch?.({ epoch: 2, trainLoss: 0.25, validationAccuracy: before } as EpochRecord)
      return { float, before, after, model }
    }
  } as unknown as Trainer
  const fitted = { split: { validation: [0] } } as unknown as FitResult
  const job = { dataset: undefined, flags: new Flags({}) } as unknown as Job
  const told: string[] = []
  const { write } = process.stdout
  process.stdout.write = (text: string | Uint8Array) => told.push(String(text)) > 0
  const quantised = await quantiseAfter(scripted, fitted, job).finally(() => {
    process.stdout.write = write
  })
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`
  const [began, epoch, lost] = told.slice(-3)
  assert.match(began, /^quantising, and measuring that on validation\n$/)
  assert.is(epoch, `behind fake quantisation, epoch 2: loss 0.2500, validation ${percent(before)}\n`)
  const worse = after > before ? '' : '; the weights from before are kept'
  assert.is(
    lost,
    `validation accuracy (1 image) in floats ${percent(float)}, quantised ${percent(before)}, fine-tuned and quantised ${percent(after)}${worse}\n`
  )
  assert.is(int8Accuracy(quantised), Math.max(before, after))
})

test('what was not trained, or is compiled, is refused', async () => {
  const data = dataset(4)
  const options = { classes: ['left', 'top'], epochs: 1 }
  const unfitted = await Trainer.create(zoo.lenet5.build(), options)
  const empty = { split: { training: [], validation: [] }, validation: undefined }
  await rejected(unfitted.quantise(data, empty), /nothing has been trained and validated yet/)
  const compiled = await Trainer.create(await compile(zoo.lenet5.build()), options)
  const fitted = await compiled.fit(data, { split: { validation: 0.5 } })
  await rejected(compiled.quantise(data, fitted), /a compiled model cannot be quantised/)
  await Promise.all([unfitted.release(), compiled.release()])
})

async function rejected(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  try {
    await promise
  } catch (error) {
    return assert.match((error as Error).message, pattern)
  }
  assert.unreachable('nothing was refused')
}

test.run()
