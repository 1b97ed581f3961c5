import Benchmark from 'benchmark'
import {
  median,
  type Opened,
  openChecked,
  openOn,
  type Peak,
  type PeerName,
  type Subject,
  subjectOf,
  worstOf
} from '../../cli/measure/index.js'
import { build, type CompileOptions } from '../../compiler/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { Bandwidth } from './bandwidth.js'
import { layerModel } from './layer-model.js'
import { type Layer, macsOf } from './layers.js'

/** One layer shape on all of its kernels and peers. */
export interface LayerResult {
  readonly layer: Layer
  readonly variants: readonly VariantResult[]
  readonly peers: readonly PeerResult[]
  /** Gigaflops a second, measured beside the layer. */
  readonly peak: number
  /** Gigabytes a second of a copy, read and written, beside matrices times one row. */
  readonly copy?: number
}

export interface VariantResult {
  readonly kernel: string
  /** The compiler's own choice. */
  readonly chosen: boolean
  /** Against onnxruntime-node, over its largest value. */
  readonly error: number
  /** Milliseconds of the kernel's calls alone. */
  readonly times?: readonly number[]
  /** Gigabytes a second at which the weights are read, of matrices times one row. */
  readonly read?: number
  readonly refusal?: string
}

export interface PeerResult {
  readonly engine: PeerName
  readonly error?: number
  /** Milliseconds of one layer, one figure a round. */
  readonly times?: readonly number[]
  /** How many times as long as the kernel that the compiler chooses. */
  readonly ratio?: number
  readonly refusal?: string
}

interface Variant {
  readonly kernel: string
  readonly chosen: boolean
  readonly options: CompileOptions
}

/** The kernels that can run the layer, the compiler's choice first. */
function variantsOf(onnx: Uint8Array, weights: CompileOptions['weights']): Variant[] {
  const { choices, program } = build(onnx, { weights })
  const [choice] = [...choices.values()]
  const copies = program.kernels.filter(({ name }) => name !== 'unary')
  if (!choice) return [{ kernel: (copies[0] ?? program.kernels[0]).name, chosen: true, options: { weights } }]
  const names = [choice.chosen, ...choice.choices.map(({ kernel }) => kernel).filter(name => name !== choice.chosen)]
  return names.map(kernel => ({ kernel, chosen: kernel === choice.chosen, options: { weights, kernels: [kernel] } }))
}

const toleranceOf = (kernel: string) => (kernel.startsWith('winograd') ? 1e-3 : 1e-4)

/** About how long one contestant runs before the next has its turn. */
const turnSeconds = 0.04

interface Running {
  /** One turn. */
  turn(): Promise<void>
  release(): Promise<void>
}

interface RunningVariant extends Running {
  readonly variant: Variant
  readonly error: number
  readonly times: number[]
}

interface RunningPeer extends Running {
  readonly engine: PeerName
  readonly error: number
  readonly times: number[]
}

export async function measureLayer(
  layer: Layer,
  peers: readonly PeerName[],
  rounds: number,
  peak: Peak,
  weights: CompileOptions['weights']
): Promise<LayerResult> {
  const onnx = layerModel(layer, undefined, weights)
  const subject = subjectOf('layer', onnx)
  const reference = await openOn('ort-node', subject, { threads: 1 })
  const expected = await reference.run()
  const variants: (RunningVariant | VariantResult)[] = []
  for (const variant of variantsOf(onnx, weights)) variants.push(await openVariant(layer, subject, variant, expected))
  const others: (RunningPeer | PeerResult)[] = []
  for (const engine of peers) others.push(await openOther(layer, subject, engine, expected, weights))

  const running = [...variants, ...others].filter((entry): entry is RunningVariant | RunningPeer => 'turn' in entry)
  const bandwidth = layer.op === 'gemm' && layer.input[0] === 1 ? new Bandwidth() : undefined
  let rate = await peak.measure()
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < running.length; i++) await running[(i + round) % running.length].turn()
    rate = Math.max(rate, await peak.measure())
  }
  const copy = bandwidth?.measure()
  for (const { release } of running) await release()
  await reference.release()

  const done = variants.map(entry =>
    'turn' in entry
      ? {
          kernel: entry.variant.kernel,
          chosen: entry.variant.chosen,
          error: entry.error,
          times: entry.times,
          read: bandwidth && readRate(layer, entry)
        }
      : entry
  )
  const own = done.find(({ chosen }) => chosen)?.times
  return {
    layer,
    variants: done,
    peers: others.map(entry => {
      if (!('turn' in entry)) return entry
      const { engine, error, times } = entry
      // A difference of two long times may drown in their noise.
      if (!(median(times) > 0)) return { engine, error, refusal: 'too short to tell from noise' }
      return { engine, error, times, ratio: own && median(times) / median(own) }
    }),
    peak: rate,
    copy
  }
}

/** Of one row every weight is read once, as wide as the kernel's name says. */
function readRate(layer: Layer, { variant, times }: RunningVariant): number {
  return (macsOf(layer) * (variant.kernel.endsWith('Half') ? 2 : 4)) / median(times) / 1e6
}

async function openVariant(
  layer: Layer,
  subject: Subject,
  variant: Variant,
  expected: Awaited<ReturnType<Opened['run']>>
): Promise<RunningVariant | VariantResult> {
  const { kernel, chosen, options } = variant
  const file = subjectOf('layer', subject.source!.onnx, {}, options).file
  const session = await InferenceSession.create(file)
  const feeds = Object.fromEntries(
    subject.feeds.map(({ name, data, dims }) => [name, new Tensor('float32', data as Float32Array, dims)])
  )
  const results = Object.entries(await session.run(feeds))
  const { relative: error } = worstOf(
    results.map(([name, { type, dims, data }]) => ({ name, type, dims, data })),
    expected
  )
  if (!(error <= toleranceOf(kernel))) {
    await session.release()
    return { kernel, chosen, error, refusal: `wrong: only ${toleranceOf(kernel)} of the maximum is allowed` }
  }
  const times: number[] = []
  // The copies at the model's edge are calls of the kernel `unary`; so is a layer that is an activation.
  const counts = (name: string) => name !== 'unary' || layer.op === 'act'
  const work = async () => {
    const calls = await session.profile(feeds)
    times.push(calls.reduce((sum, call) => sum + (counts(call.kernel) ? call.milliseconds : 0), 0))
  }
  await work()
  times.length = 0
  return {
    variant,
    error,
    times,
    turn: async () => {
      await repeat(work)
    },
    release: () => session.release()
  }
}

/** Fewer copies of what is large. */
const setsFor = ({ input }: Layer) => (input.reduce((a, b) => a * b, 1) > 1 << 20 ? 3 : 6)

async function openOther(
  layer: Layer,
  subject: Subject,
  engine: PeerName,
  expected: Awaited<ReturnType<Opened['run']>>,
  weights: CompileOptions['weights']
): Promise<RunningPeer | PeerResult> {
  const options = { threads: 1 }
  const checked = await openChecked(engine, subject, options, expected, 1e-3)
  if (typeof checked === 'string') return { engine, refusal: checked }
  const { error } = checked
  await checked.opened.release()
  const sets = setsFor(layer)
  const open = (applied: number) =>
    openOn(engine, subjectOf('layers', layerModel(layer, { sets, applied }, weights)), options)
  const [all, one] = [await open(sets), await open(1)]
  const times: number[] = []
  const runs = (opened: Opened) => async () => {
    await opened.run()
  }
  await warm([all, one])
  return {
    engine,
    error,
    times,
    turn: async () => {
      const [many, few] = [await repeat(runs(all)), await repeat(runs(one))]
      times.push((median(many) - median(few)) / (sets - 1))
    },
    release: async () => {
      await all.release()
      await one.release()
    }
  }
}

/** Runs until the engine has compiled what it will compile. */
async function warm(models: readonly Opened[]): Promise<void> {
  const end = performance.now() + 200
  for (let i = 0; i < 8 || (performance.now() < end && i < 400); i++) for (const opened of models) await opened.run()
}

/** Benchmark.js repeats `work` for a turn; its samples in milliseconds. */
function repeat(work: () => Promise<void>): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark('turn', {
      defer: true,
      async: false,
      initCount: 1,
      minTime: turnSeconds / 8,
      maxTime: turnSeconds,
      minSamples: 3,
      fn(deferred: { resolve(): void }) {
        work().then(() => deferred.resolve(), reject)
      }
    })
    benchmark.on('complete', () => resolve(benchmark.stats.sample.map(seconds => seconds * 1000)))
    benchmark.on('error', () => reject(benchmark.error))
    benchmark.run()
  })
}
