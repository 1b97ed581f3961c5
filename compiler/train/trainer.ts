import { CairnError } from '../../runtime/backend.js'
import { digest } from '../../runtime/digest.js'
import { type Split, type SplitOptions, stratifiedSplit } from '../../runtime/train/split.js'
import type { Graph } from '../graph.js'
import { buildGraph } from '../index.js'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js'
import { cachedExamples, type Dataset, type Examples, freshExamples, furtherExamples } from './dataset.js'
import { Engine } from './engine.js'
import { type Course, type EpochRecord, type Evaluation, evaluate, type Standing, train, type Watch } from './loop.js'
import { type Cut, cutBetween, findCut, openGraph } from './network.js'
import { type Settings, settingsOf, type TrainerOptions } from './options.js'
import { encodePatch } from './patch.js'
import { Stage } from './stage.js'

export interface FitOptions extends Watch {
  /** Which examples train and which validate; by default a stratified fifth validates. */
  readonly split?: Split | SplitOptions
  /** While features are computed. */
  readonly onFeatures?: (done: number, total: number) => void
  /** Called after every epoch with all that `resume` needs. */
  readonly onCheckpoint?: (checkpoint: Uint8Array) => void | Promise<void>
  readonly resume?: Uint8Array
}

export interface FitResult {
  readonly history: readonly EpochRecord[]
  readonly bestEpoch: number
  /** Of the best weights, on the examples that validate. */
  readonly validation?: Evaluation
  readonly split: Split
  /** Why training has ended before its time. */
  readonly stopped?: string
  readonly warnings: readonly string[]
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
    private readonly model: Uint8Array,
    private readonly options: TrainerOptions,
    readonly settings: Settings,
    /** Where the network is cut, and how many of its blocks are trained. */
    readonly cut: Cut,
    private readonly input: string
  ) {}

  /** Reads ONNX bytes. Throws CompileError for a model, CairnError for options, that cannot be trained. */
  static async create(model: Uint8Array, options: TrainerOptions): Promise<Trainer> {
    const settings = settingsOf(options)
    const graph = openGraph(model, options)
    if (graph.inputs.length !== 1)
      throw new CairnError(`the model has ${graph.inputs.length} inputs; networks with one can be trained`)
    const unfreeze = settings.scratch ? 'all' : options.unfreeze
    return new Trainer(model, options, settings, findCut(graph, { ...options, unfreeze }), graph.inputs[0].name)
  }

  /** Trains on examples. An abort ends training behind the step that is under way, and keeps the best weights. */
  async fit(data: Dataset, options: FitOptions = {}): Promise<FitResult> {
    const { settings, cut } = this
    checkLabels(data.labels, settings.classes)
    const split = splitOf(data.labels, options.split, settings)
    const standing: Standing = { epoch: 0, history: [], best: undefined, warnings: [] }
    const resumed = options.resume && decodeCheckpoint(options.resume, this.identity(data, split))
    if (resumed) Object.assign(standing, { epoch: resumed.epoch, history: [...resumed.history], best: resumed.best })

    const examples = await this.examplesOf(data, split, options)
    const { headEpochs, epochs } = settings
    const first = cut.trained && headEpochs ? Math.min(headEpochs, epochs) : 0
    let weights: ReadonlyMap<string, Float32Array> | undefined
    if (first && standing.epoch < first) {
      const alone = { ...cut, boundary: cut.features, trained: 0 }
      const further = await Engine.open(this.between(cut.boundary, cut.features), settings.device, settings.numThreads)
      const course = { examples: furtherExamples(examples, further), before: 0, epochs: first }
      weights = await this.run(alone, course, standing, resumed, data, split, options)
      await further.release()
    }
    // Also where training has ended before: what is evaluated and kept is the whole stage.
    const course = { examples, before: first, epochs: epochs - first }
    weights = resumed && standing.epoch > first ? undefined : (standing.best?.weights ?? weights)
    await this.run(cut, course, standing, resumed, data, split, options, weights)
    const stage = this.stage!
    if (standing.best) stage.load(standing.best.weights)
    const validation = split.validation.length
      ? await evaluate(stage, examples, split.validation, data.labels, settings)
      : undefined
    const { history, best, stopped, warnings } = standing
    return {
      history,
      bestEpoch: best?.epoch ?? 0,
      validation,
      split,
      stopped,
      warnings: [...warnings, ...signsOf(history)]
    }
  }

  private async run(
    cut: Cut,
    course: Omit<Course, 'stage'>,
    standing: Standing,
    resumed: Checkpoint | undefined,
    data: Dataset,
    split: Split,
    options: FitOptions,
    weights?: ReadonlyMap<string, Float32Array>
  ): Promise<ReadonlyMap<string, Float32Array>> {
    const { settings } = this
    const stage = await Stage.open(this.model, this.options, cut, settings)
    await this.stage?.release()
    this.stage = stage
    if (weights) stage.load(weights)
    if (resumed && standing.epoch >= course.before && resumed.stage === cut.trained) stage.load(resumed.states)
    const identity = this.identity(data, split)
    await train(
      { ...course, stage },
      standing,
      { labels: data.labels, split, settings },
      {
        ...options,
        onEpoch: async record => {
          await options.onEpoch?.(record)
          if (options.onCheckpoint)
            await options.onCheckpoint(
              encodeCheckpoint({ ...standing, identity, stage: cut.trained, states: stage.states() })
            )
        }
      }
    )
    return stage.weights()
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

  /** What was trained, for `applyPatch`: a few kilobytes for a head. */
  patch(): Uint8Array {
    if (!this.stage) throw new CairnError('nothing has been trained yet')
    return encodePatch(this.model, this.cut, this.settings.classes, this.stage.tensors())
  }

  async release(): Promise<void> {
    await Promise.all([this.stage?.release(), this.frozen?.release()])
  }

  /** What the trained part reads, for every example. */
  private async examplesOf(data: Dataset, split: Split, options: FitOptions): Promise<Examples> {
    const { cut, settings } = this
    if (cut.boundary === this.input) return freshExamples(data, settings.seed)
    this.frozen ??= await Engine.open(this.between(undefined, cut.boundary), settings.device, settings.numThreads)
    return cachedExamples(
      data,
      this.frozen,
      { seed: settings.seed, copies: settings.copies, training: split.training },
      options.onFeatures ?? (() => undefined),
      options.signal
    )
  }

  private between(from: string | undefined, to: string) {
    const graph: Graph = cutBetween(openGraph(this.model, this.options), from, to)
    return buildGraph(graph).program
  }

  /** What a checkpoint must agree with. */
  private identity(data: Dataset, split: Split): string {
    const {
      device: _,
      numThreads: _threads,
      epochs: _epochs,
      initialise: _drawn,
      schedule: _curve,
      ...rest
    } = this.settings
    const { initialise, schedule, epochs } = this.options
    const labels = new Uint8Array(Int32Array.from([...data.labels, ...split.validation]).buffer)
    return JSON.stringify([digest(this.model), digest(labels), rest, initialise, schedule, epochs, this.cut])
  }
}

function checkLabels(labels: readonly number[], classes: readonly string[]): void {
  const counts = classes.map(() => 0)
  labels.forEach((label, i) => {
    if (!(label in counts))
      throw new CairnError(`example ${i} has class ${label}; 0 to ${classes.length - 1} are allowed`)
    counts[label]++
  })
  const empty = classes.filter((_, i) => counts[i] === 0)
  if (empty.length)
    throw new CairnError(`no examples of ${empty.map(name => `"${name}"`).join(', ')}; each class needs some`)
}

function splitOf(labels: readonly number[], given: FitOptions['split'], { seed }: Settings): Split {
  if (!given || !('training' in given)) return stratifiedSplit(labels, { seed, ...given })
  if (!given.training.length) throw new CairnError('no examples to train on')
  return given
}

/** What curves say that people overlook. */
function signsOf(history: readonly EpochRecord[]): string[] {
  const last = history.at(-1)
  if (!last) return []
  const signs: string[] = []
  const norms = history.map(({ gradientNorm }) => gradientNorm)
  const grown = norms[norms.length - 1] / Math.max(norms[0], 1e-12)
  if (grown > 100)
    signs.push(
      `gradients have grown ${grown.toFixed(0)} times since the first epoch: they explode; clip them, or take a smaller learning rate`
    )
  if (last.gradientNorm < 1e-7 && last.trainAccuracy < 0.9)
    signs.push('gradients have vanished: units are dead, or the weights began at zero; try another initialisation')
  const { trainAccuracy, validationAccuracy } = last
  if (validationAccuracy !== undefined && trainAccuracy - validationAccuracy > 0.15)
    signs.push(
      `training examples are known far better (${percent(trainAccuracy)}) than new ones (${percent(validationAccuracy)}): more examples, augmentation, decay or dropout help`
    )
  return signs
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
