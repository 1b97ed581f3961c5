import { Breath, CairnError } from '../runtime/base/index.js'
import type { Program } from '../runtime/file/index.js'
import { Random } from '../runtime/train/index.js'
import { Engine } from '../train/device/engine.js'
import { fasterDevice } from '../train/device/faster.js'
import { fileOf } from '../train/network/backbone.js'
import type { Explanation } from './explanation.js'
import { gradCam, largestOf, sumOf } from './maps.js'
import type { ExplainOptions, Settings } from './options.js'
import { adaptive, completenessOf, evenly, type Point } from './path.js'
import { buildExplaining, type Explaining } from './program.js'

/** Methods with gradients: one program, run once or over a path. */
export class Gradients {
  private constructor(
    private readonly settings: Settings,
    private readonly built: Explaining,
    private readonly engine: Engine
  ) {}

  static async open(bytes: Uint8Array, dims: readonly number[], settings: Settings): Promise<Gradients> {
    const built = buildExplaining(bytes, dims, settings.method, settings)
    return new Gradients(settings, built, await opened(built.program, settings))
  }

  /** Whether it was compiled for an input of these sizes. */
  fits(dims: readonly number[]): boolean {
    return dims.join() === this.built.dims.join()
  }

  async explain(input: Float32Array, options: ExplainOptions): Promise<Explanation> {
    const { method } = this.settings
    const { classes } = this.built
    const { class: wanted = -1 } = options
    if (wanted !== -1 && !(Number.isInteger(wanted) && wanted >= 0 && wanted < classes))
      throw new CairnError(`class ${wanted}; the model has scores of 0 to ${classes - 1}`)
    options.signal?.throwIfAborted()
    if (method === 'smoothgrad') return this.smooth(input, wanted, options)
    if (method === 'integrated') return this.integrated(input, wanted, options)
    const { scores, top, rest } = await this.run(input, wanted)
    options.onRun?.(1, 1)
    const found = { method, class: top, score: scores[top], scores }
    const { layer, dims } = this.built
    if (!layer) return { ...found, map: largestOf(rest[0], dims), attribution: { data: rest[0], dims } }
    const { name, placement } = layer
    const map = { ...gradCam(rest[0], rest[1], layer.dims, method === 'gradcam++'), placement }
    const attribution = { data: map.data, dims: [map.height, map.width] }
    return {
      ...found,
      map,
      attribution,
      layer: name,
      maps: { name, dims: layer.dims, data: rest[0], gradient: rest[1] }
    }
  }

  release(): Promise<void> {
    return this.engine.release()
  }

  /** Scores in a row, the class, and what comes behind them. */
  private async run(input: Float32Array, wanted: number) {
    const [{ name }] = this.built.program.inputs
    const [scores, ...rest] = await this.engine.run(1, { [name]: input, class: Float32Array.of(wanted) })
    const top = wanted >= 0 ? wanted : scores.reduce((best, score, i) => (score > scores[best] ? i : best), 0)
    return { scores, top, rest }
  }

  /** The mean gradient of noisy inputs, all by the class of the input itself. */
  private async smooth(input: Float32Array, wanted: number, { signal, onRun }: ExplainOptions): Promise<Explanation> {
    const { samples, noise, seed, method } = this.settings
    const { scores, top } = await this.run(input, wanted)
    onRun?.(1, samples + 1)
    const [least, largest] = input.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    )
    const deviation = noise * (largest - least)
    const random = new Random(seed)
    const sum = new Float64Array(input.length)
    const breath = new Breath()
    for (let i = 0; i < samples; i++) {
      await breath.take()
      signal?.throwIfAborted()
      const { rest } = await this.run(
        input.map(value => value + deviation * random.normal()),
        top
      )
      rest[0].forEach((value, j) => {
        sum[j] += value
      })
      onRun?.(i + 2, samples + 1)
    }
    const { dims } = this.built
    const data = Float32Array.from(sum, value => value / samples)
    return { method, class: top, score: scores[top], scores, map: largestOf(data, dims), attribution: { data, dims } }
  }

  /** (x - b) times the mean gradient on the way from b to x, by the trapezoidal rule. */
  private async integrated(input: Float32Array, wanted: number, options: ExplainOptions): Promise<Explanation> {
    const { steps: given, baseline, method } = this.settings
    const { scores, top } = await this.run(input, wanted)
    const pointAt = async (share: number): Promise<Point> => {
      const between = input.map(value => baseline + (value - baseline) * share)
      const { scores: found, rest } = await this.run(between, top)
      const gradient = rest[0]
      const slope = gradient.reduce((sum, value, i) => sum + value * (input[i] - baseline), 0)
      return { share, score: found[top], gradient, slope }
    }
    const mean = given === undefined ? await adaptive(pointAt, options) : await evenly(pointAt, given, options)
    const { dims } = this.built
    const data = input.map((value, i) => (value - baseline) * mean.gradient[i])
    const attribution = { data, dims }
    const completeness = completenessOf(mean)
    return { method, class: top, score: scores[top], scores, map: sumOf(data, dims), attribution, completeness }
  }
}

/** The program on the device that is asked for; with `auto` on the faster one. */
export async function opened(program: Program, { device, numThreads }: Pick<Settings, 'device' | 'numThreads'>) {
  const file = () => fileOf(program)
  if (device !== 'auto') return Engine.open(file(), device, numThreads)
  const faster = await fasterDevice([{ file, count: 1, times: 1 }], numThreads)
  return Engine.open(file(), faster.device, numThreads)
}
