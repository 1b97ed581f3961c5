import { mostMemory } from '../../runtime/backend/index.js'
import { CompileError } from '../errors.js'
import type { Graph } from '../graph/index.js'
import { emitOnnx, fetchExternal, type ImportOptions } from '../onnx/index.js'
import { calibrate, type Observed } from './calibrate.js'
import { equalise } from './equalise.js'
import { drawnFeeds, repeatable, spread } from './feeds.js'
import { insertQuantisation, type Settings } from './insert.js'
import { layerErrors, Standard } from './measure.js'
import type { LayerReport, QuantiseOptions, QuantiseReport, TensorReport } from './options.js'
import { keepable, layerNames, planOf } from './plan.js'
import { prepared } from './prepare.js'
import { type ChosenRange, chooseRange, scaleOfRange } from './ranges.js'
import { type Change, type Feed, Running } from './session.js'

/** Layers that one line names. */
const mostNamed = 20

/** Scenes that are drawn where nobody says how many. */
const usualScenes = 8

/** Feeds on which outputs are compared, spread over all that are calibrated with. */
const measuredFeeds = 12

/** Feeds on which each layer alone is tried. */
const costFeeds = 3

/** Nothing more is tried where outputs are as near as this. */
const goodEnough = 0.005

/** Without a budget layers are kept float where outputs are off by more than this, and where it helps. */
const usualError = 0.1
/** At most this share of the layers, and only for errors that many times smaller. */
const usualShare = 1 / 4
const usualGain = 0.7

/** A budget that leaves a smaller share of the layers on bytes has made little of the model int8. */
const fewOnBytes = 1 / 4

/**
 * ONNX bytes of a float model to a QDQ model (QuantizeLinear and DequantizeLinear around what is computed with 8 bits), which `compile`
 * turns into layers on bytes, and onnxruntime runs alike (on x86 without VNNI with x64quantprecision, or weights of 7 bits): activations
 * of uint8 with one scale a tensor, weights of int8 with one a filter, symmetric, biases of int32. Without `calibrate` 8 scenes are
 * drawn. Throws CompileError, one line, for what cannot be quantised.
 */
export async function quantise(bytes: Uint8Array, options: QuantiseOptions = {}): Promise<Uint8Array> {
  const work = await Work.begin(bytes, options)
  try {
    return await work.run()
  } finally {
    await work.end()
  }
}

/** How a model may be quantised: what is decided by trying. */
interface Variant {
  /** Ranges of least error for each tensor, of least divergence, or all values inside. */
  readonly ranges: QuantiseReport['ranges']
  readonly isCorrected: boolean
  readonly isEqualised: boolean
}

interface Calibrated {
  readonly observed: ReadonlyMap<string, Observed>
  readonly chosen: Readonly<Record<Variant['ranges'], ReadonlyMap<string, ChosenRange>>>
}

interface Made {
  readonly variant: Variant
  readonly keep: readonly string[]
  readonly model: Uint8Array
  readonly error: number
}

class Work {
  private feeds: Iterable<Feed> = []
  private count = 0
  /** Of the feeds, those on which outputs are compared. */
  private samples: readonly Feed[] = []
  private readonly kept: Set<string>
  private readonly calibrated = new Map<boolean, Calibrated>()

  private constructor(
    private readonly source: Uint8Array,
    private readonly options: QuantiseOptions,
    private readonly imported: ImportOptions,
    private readonly float: Standard
  ) {
    this.kept = new Set(options.keep)
  }

  static async begin(bytes: Uint8Array, options: QuantiseOptions): Promise<Work> {
    const { calibrate: given, budget, weightBits = 8, maxMemory = mostMemory, externalData } = options
    if (budget !== undefined && !(budget >= 0))
      throw new CompileError(`budget ${budget}; a number from 0 on is allowed`)
    if (typeof given === 'number' && !(Number.isInteger(given) && given > 0))
      throw new CompileError(`calibrate ${given}; a number of scenes of at least 1, or feeds, are allowed`)
    if (weightBits !== 7 && weightBits !== 8) throw new CompileError(`weightBits ${weightBits}; 7 and 8 are allowed`)
    const imported = {
      shapes: options.shapes,
      settings: options.settings,
      externalData: externalData && (await fetchExternal(bytes, externalData))
    }
    const graph = prepared(bytes, imported)
    const open = (change?: Change) => Running.open(emitOnnx(graph, bytes), { maxMemory, change })
    const work = new Work(bytes, options, imported, new Standard(await open()))
    try {
      work.checkNames(graph)
      if (given !== undefined && typeof given !== 'number') work.feeds = await repeatable(given, graph)
      else {
        const count = given ?? usualScenes
        options.onNote?.(`calibrated with ${count} drawn ${count === 1 ? 'scene' : 'scenes'}, not with pictures`)
        work.feeds = await drawnFeeds(graph, count, work.float.running, open)
      }
    } catch (error) {
      await work.end()
      throw error
    }
    return work
  }

  end(): Promise<void> {
    return this.float.running.release()
  }

  async run(): Promise<Uint8Array> {
    const all = await this.best()
    const { graph, plan } = this.planned(all.variant)
    const names = plan.layers.map(({ node }) => node.name)
    const isNear = all.error <= (this.options.budget ?? usualError)
    const costs = isNear ? undefined : await this.costs(all.variant, names)
    const best = costs ? await this.withinBudget(all, costs) : all
    const sqnr = await layerErrors(graph, this.source, plan, this.settings(all.variant), this.samples, this.options)
    const asked = this.askedFor()
    this.advise(best, names.length + asked.length, asked.length)
    const kept = new Set(best.keep)
    const layers = plan.layers.map(({ node: { name, op } }, i) => ({
      ...{ name, op, sqnr: sqnr[i], cost: costs?.get(name) },
      kept: kept.has(name) ? ('budget' as const) : undefined
    }))
    this.options.onReport?.({
      layers: [...layers, ...asked],
      tensors: this.tensors(best.variant),
      error: best.error,
      feeds: this.count,
      ...best.variant
    })
    return best.model
  }

  /** Says what may be done where bytes cost much, or where hardly any are left; `asked` of the layers are float as they were to be. */
  private advise({ error, keep }: Made, layers: number, asked: number): void {
    const { budget, onNote } = this.options
    const alone = 'weights alone in 8 bits (compiled with weights int8, without calibration)'
    const onBytes = layers - keep.length - asked
    const kept = `${keep.length} of ${layers} layers`
    if (budget !== undefined && onBytes < layers * fewOnBytes)
      onNote?.(
        `the budget of ${budget} leaves ${onBytes} of ${layers} layers on bytes; ${alone} may serve the model better`
      )
    if (budget !== undefined) return
    if (error <= usualError) {
      if (keep.length)
        onNote?.(
          `${kept} stay float: outputs were off by more than ${usualError} of their size on the calibration data`
        )
      return
    }
    const off = `outputs are off by ${error.toPrecision(2)} of their size on the calibration data`
    const most = Math.floor(layers * usualShare)
    const tried = keep.length ? `, with ${kept} kept float` : ''
    const failed = most && !keep.length ? `, and keeping up to ${most} of ${layers} layers float did not help` : ''
    onNote?.(`${off}${tried}${failed}; a budget keeps more of them float, and ${alone} lose less`)
  }

  private askedFor(): LayerReport[] {
    const { nodes } = prepared(this.source, this.imported)
    return nodes.flatMap(({ name, op }) => (this.kept.has(name) ? [{ name, op, sqnr: Number.NaN, kept: 'asked' }] : []))
  }

  /** Tries one decision after the other, each on the best so far. */
  private async best(): Promise<Made> {
    let best = await this.make({ ranges: 'least error', isCorrected: true, isEqualised: false })
    const others: Partial<Variant>[] = [{ ranges: 'min-max' }, { ranges: 'least divergence' }, { isCorrected: false }]
    if (equalise(prepared(this.source, this.imported))) others.push({ isEqualised: true })
    for (const other of others) {
      if (best.error <= goodEnough) break
      const made = await this.make({ ...best.variant, ...other })
      if (made.error < best.error) best = made
    }
    return best
  }

  /** The error of the outputs where each layer alone is quantised, with what computes with bytes behind it. */
  private async costs(variant: Variant, names: readonly string[]): Promise<Map<string, number>> {
    const costs = new Map<string, number>()
    for (const name of names) {
      const others = names.filter(other => other !== name)
      costs.set(name, (await this.make(variant, others, costFeeds)).error)
    }
    return costs
  }

  /** Keeps what costs most by itself float: the shortest beginning of that order that holds the budget, if errors fall along it. */
  private async withinBudget(all: Made, costs: ReadonlyMap<string, number>): Promise<Made> {
    const { budget } = this.options
    const limit = budget ?? usualError
    const costly = [...costs].sort(([, a], [, b]) => b - a).map(([name]) => name)
    const most = budget === undefined ? Math.floor(costly.length * usualShare) : costly.length
    const tried = new Map<number, Made>([[0, all]])
    const attempt = async (count: number): Promise<Made> => {
      const made = tried.get(count) ?? (await this.make(all.variant, costly.slice(0, count)))
      tried.set(count, made)
      return made
    }
    let [low, high] = [0, Math.min(1, most)]
    while (high < most && (await attempt(high)).error > limit) [low, high] = [high, Math.min(2 * high, most)]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((await attempt(middle)).error <= limit) high = middle
      else low = middle
    }
    const made = await attempt(high)
    // Without a budget nothing is promised: what does not help much is not kept.
    return budget === undefined && made.error > Math.max(limit, usualGain * all.error) ? all : made
  }

  private async make(variant: Variant, keep: readonly string[] = [], feeds = measuredFeeds): Promise<Made> {
    const { source, options } = this
    await this.calibration(variant.isEqualised)
    const { graph, plan } = this.planned(variant, keep)
    insertQuantisation(graph, plan, this.settings(variant))
    const model = emitOnnx(graph, source)
    const running = await Running.open(model, { maxMemory: options.maxMemory })
    try {
      const error = await this.float.errorOf(running, spread(this.samples, this.samples.length, feeds))
      options.onRun?.('outputs')
      return { variant, keep, model, error }
    } finally {
      await running.release()
    }
  }

  private planned({ isEqualised }: Pick<Variant, 'isEqualised'>, keep: readonly string[] = []) {
    const graph = prepared(this.source, this.imported)
    if (isEqualised) equalise(graph)
    return { graph, plan: planOf(graph, new Set([...this.kept, ...keep])) }
  }

  private settings({ ranges, isCorrected, isEqualised }: Variant): Settings {
    const { observed, chosen } = this.calibrated.get(isEqualised)!
    const means = [...observed].flatMap(([name, { means }]) => (means ? [[name, means] as const] : []))
    return {
      scales: new Map([...chosen[ranges]].map(([name, range]) => [name, scaleOfRange(range)])),
      means: isCorrected ? new Map(means) : undefined,
      bits: this.options.weightBits
    }
  }

  private async calibration(isEqualised: boolean): Promise<void> {
    if (this.calibrated.has(isEqualised)) return
    const { graph, plan } = this.planned({ isEqualised })
    if (!plan.layers.length)
      throw new CompileError('no layer of the model can run on bytes; Conv and Gemm with constant weights can')
    const { observed, count } = await calibrate(graph, this.source, plan, this.feeds, this.options)
    if (!this.count) this.samples = spread(this.feeds, count, measuredFeeds)
    this.count = count
    const choose = (choosers: Parameters<typeof chooseRange>[1]) =>
      new Map([...observed].map(([name, { histogram }]) => [name, chooseRange(histogram, choosers)]))
    const chosen = {
      'least error': choose(['min-max', 'percentile', 'mse']),
      'least divergence': choose(['entropy']),
      'min-max': choose(['min-max'])
    }
    this.calibrated.set(isEqualised, { observed, chosen })
  }

  private tensors({ ranges, isEqualised }: Variant): TensorReport[] {
    const { observed, chosen } = this.calibrated.get(isEqualised)!
    const { plan } = this.planned({ isEqualised })
    const roots = new Set([...plan.scaledAs.values()].map(({ name }) => name))
    return [...chosen[ranges]].flatMap(([name, { low, high, chooser, clipped, error }]) => {
      if (!roots.has(name)) return []
      const { energy } = observed.get(name)!.histogram
      return [
        { name, low, high, chooser, clipped, sqnr: error ? 10 * Math.log10(energy / error) : Number.POSITIVE_INFINITY }
      ]
    })
  }

  private checkNames(graph: Graph): void {
    const names = keepable(graph)
    const unknown = [...this.kept].find(name => !names.includes(name))
    if (unknown === undefined) return
    const parts = unknown.split(',').map(part => part.trim())
    if (parts.length > 1 && parts.every(part => names.includes(part)))
      throw new CompileError(`keep "${unknown}": these are several layers; each by itself is allowed`)
    const layers = layerNames(graph).map(name => `"${name}"`)
    const more = layers.length > mostNamed ? ` and ${layers.length - mostNamed} more` : ''
    throw new CompileError(
      `keep "${unknown}": no layer of that name; there are ${layers.slice(0, mostNamed).join(', ')}${more}`
    )
  }
}
