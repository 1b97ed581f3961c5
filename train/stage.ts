import { type NamedTensor, Random } from '../runtime/train/index.js'
import { Engine } from './device/engine.js'
import type { Ranges } from './int8/fake.js'
import { type Backbone, fileOf } from './network/backbone.js'
import type { Cut } from './network/network.js'
import type { Settings } from './options.js'
import { buildEvaluation, buildStep, type Parameter } from './step.js'

/** A part of a network that is trained, with its head: the program of its step and that of its evaluation. */
export class Stage {
  private settled: ReadonlyMap<string, Float32Array> = new Map()

  private constructor(
    readonly parameters: readonly Parameter[],
    private readonly stepping: Engine,
    private readonly evaluating: Engine,
    /** Parameters of the network itself: auxiliary classifiers' are only trained with. */
    private readonly own: ReadonlySet<string>,
    private readonly classes: number,
    private readonly beginning: ReadonlyMap<string, Float32Array>
  ) {}

  /** With `ranges` behind fake quantisation. */
  static async open(backbone: Backbone, cut: Cut, settings: Settings, ranges?: Ranges): Promise<Stage> {
    const { classes, dropout, batchNorm, device, numThreads, auxiliary } = settings
    const section = (more = false) => backbone.section(cut, { classes: classes.length, dropout, auxiliary: more })
    const step = buildStep(section(auxiliary > 0), batchNorm, settings, ranges)
    const evaluation = buildEvaluation(section(), batchNorm, ranges)
    const stage = new Stage(
      step.parameters,
      await Engine.open(fileOf(step.program), device, numThreads),
      await Engine.open(fileOf(evaluation.program), device, numThreads),
      new Set(evaluation.parameters.map(({ name }) => name)),
      classes.length,
      initial(step.parameters, settings)
    )
    await stage.restore(new Map())
    return stage
  }

  /** One step on a batch, whose scores, loss and gradients are of the weights before it. */
  async step(batch: Batch, { rate, follow }: Pace, seed: number): Promise<Stepped> {
    const { features, targets, weights } = batch
    const count = weights.length
    const feeds = { features, targets, weights, rate, follow: Float32Array.of(follow), seed: Float32Array.of(seed) }
    const [logits, loss, norm] = await this.stepping.run(count, feeds)
    return { logits, loss: loss[0], norm: norm[0] }
  }

  /** Scores of a batch, [count, classes]. */
  async scores(features: Float32Array, count: number): Promise<Float32Array> {
    return (await this.evaluating.run(count, { features }))[0]
  }

  /** Makes the evaluation see what the steps have learnt. */
  async settle(): Promise<void> {
    this.settled = await this.stepping.read(this.parameters.map(({ name }) => name))
    this.evaluating.write(new Map([...this.settled].filter(([name]) => this.own.has(name))))
  }

  /** Those that the evaluation sees. */
  weights(): ReadonlyMap<string, Float32Array> {
    return this.settled
  }

  /** Weights and the optimiser's moments. */
  states(): Promise<Map<string, Float32Array>> {
    return this.stepping.read()
  }

  async load(values: ReadonlyMap<string, Float32Array>): Promise<void> {
    this.stepping.write(values)
    await this.settle()
  }

  /** As it was at the beginning, but for `values`: those of a head alone leave the blocks untrained. */
  restore(values: ReadonlyMap<string, Float32Array>): Promise<void> {
    return this.load(new Map([...this.beginning, ...values]))
  }

  tensors(): (NamedTensor & Pick<Parameter, 'uses'>)[] {
    const weights = this.weights()
    const own = this.parameters.filter(({ name }) => this.own.has(name))
    return own.map(({ name, shape, uses }) => ({ name, shape, uses, data: weights.get(name)! }))
  }

  get outputs(): number {
    return this.classes
  }

  async release(): Promise<void> {
    await Promise.all([this.stepping.release(), this.evaluating.release()])
  }
}

export interface Batch {
  readonly features: Float32Array
  /** [count, classes] */
  readonly targets: Float32Array
  /** Of each example in the sum of losses; they add up to 1. */
  readonly weights: Float32Array
}

/** How far a step goes. */
export interface Pace {
  /** The learning rate, and adam's corrections of its first and second moment. */
  readonly rate: Float32Array
  /** The share that running statistics take of the batch's at least. */
  readonly follow: number
}

export interface Stepped {
  readonly logits: Float32Array
  readonly loss: number
  /** Of all gradients together, before clipping. */
  readonly norm: number
}

/** Where a network is trained from scratch all begins anew, else the head alone. */
export function initial(
  parameters: readonly Parameter[],
  { scratch, initialise, seed }: Settings
): Map<string, Float32Array> {
  const random = new Random(seed)
  const anew = ({ name, drawnAs, data, begins, groups }: Parameter): Float32Array => {
    if (begins === 'zeros') return new Float32Array(data.length)
    if (begins === 'ones') return new Float32Array(data.length).fill(1)
    const drawn = data.slice()
    if (begins === 'drawn') initialise(drawn, drawnAs, random.fork(name), groups)
    return drawn
  }
  return new Map(parameters.map(each => [each.name, scratch || each.kind === 'head' ? anew(each) : each.data]))
}
