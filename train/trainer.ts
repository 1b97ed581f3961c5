import { isConstant } from '../compiler/graph/index.js'
import { buildGraph } from '../compiler/index.js'
import { Breath, CairnError, digest } from '../runtime/base/index.js'
import {
  FeatureIndex,
  miniBatches,
  RangeTest,
  type Split,
  type SplitOptions,
  type Suggestion
} from '../runtime/train/index.js'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js'
import { cachedExamples, type Dataset, type Examples, freshExamples, furtherExamples } from './dataset.js'
import { Engine } from './device/engine.js'
import { fasterDevice, type Work } from './device/faster.js'
import { type FineTuneOptions, type Quantised, quantiseTrained } from './int8/fine-tune.js'
import { checkLabels, someOfEach, splitOf } from './labels.js'
import {
  type EpochRecord,
  type Evaluation,
  evaluate,
  gather,
  paceOf,
  type Standing,
  train,
  type Watch
} from './loop.js'
import { type Backbone, fileOf } from './network/backbone.js'
import { type Cut, cutBetween } from './network/network.js'
import { openBackbone } from './network/open.js'
import { type Settings, settingsOf, type TrainerOptions } from './options.js'
import { encodePatch, type Patch } from './patch.js'
import { type Check, checkGradients, deadUnits, overfit } from './sanity.js'
import { Stage } from './stage.js'
import { buildStep } from './step.js'
import { signsOf } from './warnings.js'

/** How `fit` goes on, and whom it tells. */
export interface FitOptions extends Watch {
  /** Which examples train and which validate; by default a stratified fifth validates. */
  readonly split?: Split | SplitOptions
  /** While features are computed. */
  readonly onFeatures?: (done: number, total: number) => void
  /** Called after every epoch with all that `resume` needs. */
  readonly onCheckpoint?: (checkpoint: Uint8Array) => void | Promise<void>
  /** What `onCheckpoint` was given: training goes on there, to the same bits. */
  readonly resume?: Uint8Array
}

export interface CheckOptions {
  readonly onProgress?: (what: string) => void
}

export interface FoundRate {
  readonly rates: readonly number[]
  /** Smoothed. */
  readonly losses: readonly number[]
  readonly suggestion: Suggestion
}

export interface Retrieval {
  readonly accuracy: number
  readonly neighbours: readonly {
    readonly index: number
    readonly nearest: readonly { readonly index: number; readonly distance: number }[]
  }[]
}

export interface Planes {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface FirstLayer {
  readonly name: string
  /** [filters, channels, height, width] */
  readonly filters: Planes
  /** [1, filters, height, width] */
  readonly maps: Planes
}

/** What training has come to. */
export interface FitResult {
  /** A record an epoch. */
  readonly history: readonly EpochRecord[]
  /** The epoch whose weights were kept, counted from 1; 0 where there was none. */
  readonly bestEpoch: number
  /** Of the best weights, on the examples that validate. */
  readonly validation?: Evaluation
  /** Which examples were trained on, and which validated. */
  readonly split: Split
  /** Why training has ended before its time. */
  readonly stopped?: string
  /** What looks wrong in the history, a line each. */
  readonly warnings: readonly string[]
}

/** A stage to come: what it trains, for how many epochs, and the examples as its first layer reads them. */
interface Planned {
  readonly cut: Cut
  readonly epochs: number
  open(): Promise<{ readonly examples: Examples; release?(): Promise<void> }>
}

/**
 * Trains a new head on a network's features, the network's last blocks with it, or the whole (Yosinski et al. 2014, "How
 * transferable are features in deep neural networks?"). The frozen part is run once for each image, and its results kept.
 * The same seed gives the same weights, bit for bit, at any number of threads.
 */
export class Trainer {
  private stage: Stage | undefined
  private frozen: Engine | undefined

  private constructor(
    private readonly backbone: Backbone,
    private readonly options: TrainerOptions,
    /** The options with their defaults. */
    readonly settings: Settings,
    /** Where the network is cut, and how many of its blocks are trained. */
    readonly cut: Cut,
    /** Of device `auto`: why `settings.device` was taken. */
    readonly choice?: string
  ) {}

  /**
   * Reads ONNX bytes, or a .cairn file for a new head alone. Throws CompileError for a model, CairnError for options, that
   * cannot be trained.
   */
  static async create(model: Uint8Array, options: TrainerOptions): Promise<Trainer> {
    const settings = settingsOf(options)
    const backbone = openBackbone(model, options)
    const unfreeze = settings.scratch ? 'all' : options.unfreeze
    const cut = backbone.findCut({ ...options, unfreeze })
    // What has no gradient is told before anything is run.
    const section = backbone.section(cut, {
      classes: settings.classes.length,
      dropout: settings.dropout,
      auxiliary: settings.auxiliary > 0
    })
    if (settings.auxiliary > 0 && !section.auxiliary.length)
      throw new CairnError(
        `auxiliary ${settings.auxiliary}: no other output of the model has a classifier behind what is trained; with more layers unfrozen, or 0, it is allowed`
      )
    const { program } = buildStep(section, settings.batchNorm, settings)
    if (settings.device !== 'auto') return new Trainer(backbone, options, settings, cut)
    const { batchSize: count } = settings
    const works: Work[] = [{ file: () => fileOf(program), count, times: 1 }]
    // What is frozen is run once for each example and copy, not in every epoch; here as often as in the first.
    if (cut.boundary !== backbone.input)
      works.push({ file: () => backbone.frozen(undefined, cut.boundary), count: 1, times: count })
    const choice = await fasterDevice(works, settings.numThreads)
    return new Trainer(backbone, options, { ...settings, device: choice.device }, cut, choice.why)
  }

  /** Trains on examples. An abort ends training behind the step that is under way, and keeps the best weights. */
  async fit(data: Dataset, options: FitOptions = {}): Promise<FitResult> {
    const { settings, cut } = this
    checkLabels(data.labels, settings.classes)
    const split = splitOf(data.labels, options.split, settings)
    const identity = this.identity(data, split)
    const resumed = options.resume && decodeCheckpoint(options.resume, identity)
    const standing: Standing = resumed
      ? { ...resumed, history: [...resumed.history] }
      : { epoch: 0, began: 0, trained: 0, history: [], best: undefined }
    const examples = await this.examplesOf(data, split, options)
    const plan = this.stages(examples)
    for (const [at, { cut: own, open, epochs }] of plan.entries()) {
      const isLast = at === plan.length - 1
      if (!isLast && resumed && resumed.trained === cut.trained) continue
      const stage = await this.enter(own, standing)
      const goesOn = resumed?.trained === own.trained && resumed.epoch === standing.epoch
      if (goesOn) await stage.load(resumed.states)
      else Object.assign(standing, { began: standing.epoch, trained: own.trained })
      const { examples: seen, release } = await open()
      const { began } = standing
      const course = { stage, examples: seen, before: began, epochs: isLast ? settings.epochs - began : epochs, isLast }
      await train(
        course,
        standing,
        { labels: data.labels, split, settings },
        {
          ...options,
          onEpoch: async record => {
            await options.onEpoch?.(record)
            await options.onCheckpoint?.(encodeCheckpoint({ ...standing, identity, states: await stage.states() }))
          }
        }
      )
      await release?.()
    }
    const stage = this.stage!
    if (standing.best) await stage.restore(standing.best.weights)
    const validation = split.validation.length
      ? await evaluate(stage, examples, split.validation, data.labels, settings)
      : undefined
    const { history, best, stopped } = standing
    const labels = split.training.map(i => data.labels[i])
    const warnings = signsOf({ history, labels, confusion: validation?.confusion }, settings)
    return { history, bestEpoch: best?.epoch ?? 0, validation, split, stopped, warnings }
  }

  /** The head alone at first, where blocks are to be unfrozen; then what is to be trained. */
  private stages(examples: Examples): Planned[] {
    const { cut, settings } = this
    const whole: Planned = { cut, epochs: settings.epochs, open: async () => ({ examples }) }
    if (!cut.trained || !settings.headEpochs) return [whole]
    const alone: Planned = {
      cut: { ...cut, boundary: cut.features, trained: 0 },
      epochs: settings.headEpochs,
      open: async () => {
        const engine = await this.engine(cut.boundary, cut.features)
        return { examples: furtherExamples(examples, engine), release: () => engine.release() }
      }
    }
    return [alone, whole]
  }

  /** Opens a stage in the place of the one before, with the best head so far. */
  private async enter(cut: Cut, { best }: Standing): Promise<Stage> {
    const stage = await Stage.open(this.backbone, cut, this.settings)
    await this.stage?.release()
    this.stage = stage
    if (best) await stage.load(best.weights)
    return stage
  }

  /** The probabilities of the classes for one input. */
  async predict(input: Float32Array): Promise<Float32Array> {
    if (!this.stage) throw new CairnError('nothing has been trained yet')
    const features = this.frozen ? (await this.frozen.runSingle(input))[0] : input
    const logits = await this.stage.scores(features, 1)
    const largest = Math.max(...logits)
    const powers = logits.map(score => Math.exp(score - largest))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map(power => power / sum)
  }

  /** Gradients against differences, one small batch learnt by heart, and dead units; nothing is kept of it. */
  async check(data: Dataset, { onProgress = () => undefined }: CheckOptions = {}): Promise<Check> {
    const { settings, cut, backbone } = this
    checkLabels(data.labels, settings.classes)
    const subject = { backbone, cut, settings: { ...settings, labelSmoothing: 0 } }
    const batchOf = async (count: number) => {
      const indices = someOfEach(data.labels, settings.classes.length, count)
      const plain: Dataset = { labels: indices.map(i => data.labels[i]), input: i => data.input(indices[i], undefined) }
      const all = indices.map((_, i) => i)
      const examples = await this.examplesOf(plain, { training: all, validation: [] }, {})
      return { batch: await gather(examples, 0, all, plain.labels, subject.settings, undefined), labels: plain.labels }
    }
    onProgress('gradients')
    const few = await batchOf(Math.min(2, settings.classes.length))
    const gradients = checkGradients(subject, few.batch, onProgress)
    onProgress('learning a batch by heart')
    const { batch, labels } = await batchOf(16)
    return { gradients, overfit: await overfit(subject, batch, labels), dead: await deadUnits(subject, batch) }
  }

  /** Steps at growing rates until the loss blows up (Smith 2017), of weights that are thrown away. */
  async findRate(data: Dataset, options: FitOptions & { onStep?: (step: number) => void } = {}): Promise<FoundRate> {
    const { settings, cut } = this
    checkLabels(data.labels, settings.classes)
    const split = splitOf(data.labels, options.split, settings)
    const examples = await this.examplesOf(data, split, { onFeatures: options.onFeatures, signal: options.signal })
    const stage = await Stage.open(this.backbone, cut, settings)
    const test = new RangeTest()
    const breath = new Breath()
    const { batchSize: size, seed } = settings
    for (let epoch = 0, going = true, step = 0; going; epoch++)
      for (const indices of miniBatches(split.training, { size, seed, epoch })) {
        const batch = await gather(examples, epoch, indices, data.labels, settings, undefined)
        await breath.take()
        const { loss } = await stage.step(batch, paceOf(settings, test.rate, ++step), step)
        options.onStep?.(step)
        going = test.add(loss)
        if (!going) break
      }
    await stage.release()
    return { rates: test.rates, losses: test.losses, suggestion: test.suggestion() }
  }

  /** The examples of training whose features are nearest to each of validation, and how often their majority is right. */
  async nearest(data: Dataset, count: number, options: FitOptions = {}): Promise<Retrieval> {
    const { settings, cut } = this
    checkLabels(data.labels, settings.classes)
    const split = splitOf(data.labels, options.split, settings)
    if (!Number.isInteger(count) || count < 1 || count > split.training.length)
      throw new CairnError(`${count} neighbours of ${split.training.length} examples; 1 to that many are allowed`)
    const engine = await this.engine(undefined, cut.features, true)
    let index: FeatureIndex | undefined
    for (const [done, i] of split.training.entries()) {
      const [features] = await engine.runSingle(await data.input(i, undefined))
      index ??= new FeatureIndex(features.length)
      index.add(features, data.labels[i])
      options.onFeatures?.(done + 1, data.labels.length)
    }
    const neighbours: Retrieval['neighbours'][number][] = []
    let right = 0
    for (const [done, i] of split.validation.entries()) {
      const [features] = await engine.runSingle(await data.input(i, undefined))
      const nearest = index!.nearest(features, count)
      if (index!.classify(features, count)[0].label === data.labels[i]) right++
      neighbours.push({
        index: i,
        nearest: nearest.map(each => ({ index: split.training[each.index], distance: each.distance }))
      })
      options.onFeatures?.(split.training.length + done + 1, data.labels.length)
    }
    await engine.release()
    return { accuracy: right / Math.max(neighbours.length, 1), neighbours }
  }

  /** The first convolution's filters as trained, and what they make of an input; undefined without a convolution. */
  async firstLayer(input: Float32Array): Promise<FirstLayer | undefined> {
    const graph = this.backbone.graph?.()
    if (!graph) return undefined
    const changed = this.stage?.weights() ?? new Map<string, Float32Array>()
    for (const value of graph.values) if (value.data && changed.has(value.name)) value.data = changed.get(value.name)
    const conv = graph.nodes.find(node => node.op === 'Conv' && isConstant(node.inputs[1]))
    if (!conv) return undefined
    const weights = conv.inputs[1]!
    const name = conv.name
    const filters = { shape: weights.shape as number[], data: Float32Array.from(weights.data!) }
    const file = fileOf(buildGraph(cutBetween(graph, undefined, conv.output.name)).program)
    const engine = await Engine.open(file, this.settings.device, this.settings.numThreads)
    const [data] = await engine.runSingle(input)
    await engine.release()
    const shape = file.header.outputs[0].shape.map(size => (typeof size === 'number' ? size : 1))
    return { name, filters, maps: { shape, data } }
  }

  /** What was trained, for `applyPatch`: a few kilobytes for a head. */
  patch(): Uint8Array {
    if (!this.stage) throw new CairnError('nothing has been trained yet')
    return encodePatch(this.patchOf(this.stage))
  }

  private patchOf(stage: Stage): Patch {
    const { shapes, preparation } = this.options
    const { classes } = this.settings
    return { backbone: this.backbone.digest, cut: this.cut, classes, shapes, preparation, tensors: stage.tensors() }
  }

  /**
   * Quantises what `fit` has trained, and fine-tunes the trained part behind fake quantisation where it loses too much; goes on with
   * the better weights. `fitted` is what `fit` has given, with examples that validate.
   */
  async quantise(
    data: Dataset,
    { split, validation }: Pick<FitResult, 'split' | 'validation'>,
    options: Omit<FineTuneOptions, 'split'> = {}
  ): Promise<Quantised> {
    const { backbone, cut, settings, stage } = this
    if (!stage || !validation) throw new CairnError('nothing has been trained and validated yet')
    if (!backbone.frozenOnnx)
      throw new CairnError('a compiled model cannot be quantised; train the .onnx that it is of')
    const whole = (of: Stage) => backbone.merged(this.patchOf(of))
    const subject = { backbone, cut, settings, stage, whole }
    const { stage: better, ...quantised } = await quantiseTrained(subject, data, validation.accuracy, {
      ...options,
      split
    })
    this.stage = better
    return quantised
  }

  /** Frees what training holds; `predict` and `patch` are refused afterwards. */
  async release(): Promise<void> {
    const { stage, frozen } = this
    this.stage = this.frozen = undefined
    await Promise.all([stage?.release(), frozen?.release()])
  }

  /** What the trained part reads, for every example. */
  private async examplesOf(data: Dataset, split: Split, options: FitOptions): Promise<Examples> {
    const { cut, settings } = this
    if (cut.boundary === this.backbone.input) return freshExamples(data, settings.seed)
    this.frozen ??= await this.engine(undefined, cut.boundary)
    return cachedExamples(
      data,
      this.frozen,
      { seed: settings.seed, copies: settings.copies, training: split.training },
      options.onFeatures ?? (() => undefined),
      options.signal
    )
  }

  private engine(from: string | undefined, to: string, pooled = false): Promise<Engine> {
    const { device, numThreads } = this.settings
    return Engine.open(this.backbone.frozen(from, to, pooled), device, numThreads)
  }

  /** What a checkpoint must agree with. */
  private identity({ labels, identity }: Dataset, split: Split): string {
    const { device: _, numThreads: _threads, externalData: _data, classes, ...told } = this.options
    const examples = new Uint8Array(Int32Array.from([...labels, ...split.training, -1, ...split.validation]).buffer)
    return JSON.stringify([this.backbone.digest, digest(examples), classes, this.cut, told, identity])
  }
}
