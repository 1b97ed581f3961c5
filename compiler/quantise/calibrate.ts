import { CompileError } from '../errors.js'
import type { Graph, Value } from '../graph/index.js'
import { emitOnnx } from '../onnx/index.js'
import { Histogram } from './histogram.js'
import type { QuantiseOptions } from './options.js'
import type { Plan } from './plan.js'
import { type Feed, type Result, Running } from './session.js'

/** What a run over the calibration data has shown of a tensor. */
export interface Observed {
  readonly histogram: Histogram
  /** Means of its channels (axis 1) over everything else; of tensors that layers with weights read. */
  readonly means?: Float64Array
}

/** Elements that a run may give at once; more tensors than that are observed in several rounds. */
const mostElements = 2 ** 26

/**
 * Runs the float model over the feeds and looks at every tensor that will be bytes: once for the least and the largest values and the
 * channels' means, once more to count what lies between. No activations are kept. Gives how many feeds there are as well. Throws CompileError where values are not finite.
 */
export async function calibrate(
  graph: Graph,
  source: Uint8Array,
  plan: Plan,
  feeds: Iterable<Feed>,
  { maxMemory, onRun }: QuantiseOptions
): Promise<{ observed: Map<string, Observed>; count: number }> {
  let count = 0
  const read = new Set(plan.layers.map(({ node }) => node.inputs[0]!))
  const observed = new Map<string, Observed>()
  for (const group of groupsOf([...plan.scaledAs.keys()], value => [value])) {
    const running = await Running.open(withOutputs(graph, source, group), { maxMemory })
    try {
      const extents = group.map(value => new Extent(value, read.has(value)))
      count = 0
      await forEachRun(running, feeds, outputs => {
        count++
        extents.forEach((extent, i) => extent.add(outputs[i]))
        onRun?.('least and largest values')
      })
      if (!extents[0].count) throw new CompileError('calibration data: no feeds; at least one is needed')
      const histograms = extents.map(({ low, high }) => new Histogram(low, high))
      await forEachRun(running, feeds, outputs => {
        histograms.forEach((each, i) => each.add(outputs[i].data))
        onRun?.('histograms')
      })
      group.forEach((value, i) => observed.set(value.name, { histogram: histograms[i], means: extents[i].means }))
    } finally {
      await running.release()
    }
  }
  return { observed, count }
}

/** Runs all feeds. */
export async function forEachRun(
  running: Running,
  feeds: Iterable<Feed>,
  see: (outputs: Result[], feed: Feed) => void | Promise<void>
): Promise<void> {
  for (const feed of feeds) await see(await running.run(feed), feed)
}

/** The model with these values as its outputs, named by their position. */
export function withOutputs(graph: Graph, source: Uint8Array, values: readonly Value[]): Uint8Array {
  const { outputs, outputNames, outputTypes } = graph
  try {
    graph.outputs = [...values]
    graph.outputNames = values.map((_, i) => `observed ${i}`)
    graph.outputTypes = values.map(() => 'float32')
    return emitOnnx(graph, source)
  } finally {
    Object.assign(graph, { outputs, outputNames, outputTypes })
  }
}

/** Free dimensions count as the size that most models are run at. */
const usualSize = 224

/** Items in their order, in groups whose tensors a run may give at once. */
export function groupsOf<T>(items: readonly T[], tensors: (item: T) => readonly Value[]): T[][] {
  const groups: T[][] = []
  let room = 0
  for (const item of items) {
    const size = tensors(item).reduce((sum, value) => sum + elementsOf(value), 0)
    if (size > room) {
      groups.push([])
      room = mostElements
    }
    groups[groups.length - 1].push(item)
    room -= size
  }
  return groups
}

const elementsOf = ({ shape }: Value): number =>
  shape.reduce<number>((product, dim, axis) => product * (typeof dim === 'number' ? dim : axis ? usualSize : 1), 1)

class Extent {
  /** 0 belongs to every range: it has to be a byte, for padding and for what activations cut off. */
  low = 0
  high = 0
  count = 0
  private readonly sums: Float64Array

  constructor(
    private readonly value: Value,
    ofChannels: boolean
  ) {
    const channels = value.shape[1]
    this.sums = new Float64Array(ofChannels && typeof channels === 'number' ? channels : 0)
  }

  add({ data: values, dims }: Result): void {
    let { low, high } = this
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (value < low) low = value
      if (value > high) high = value
      // Also where it is no number.
      if (!(value - value === 0))
        throw new CompileError(
          `calibration data: "${this.value.name}" holds ${value}; only finite numbers can be calibrated with`
        )
    }
    Object.assign(this, { low, high })
    if (this.sums.length) this.addChannels(values, dims)
    this.count += values.length
  }

  private addChannels(values: Float32Array, dims: readonly number[]): void {
    const { sums } = this
    const plane = dims.slice(2).reduce((a, b) => a * b, 1)
    for (let at = 0, channel = 0; at < values.length; at += plane, channel = (channel + 1) % sums.length) {
      let sum = 0
      for (let i = at; i < at + plane; i++) sum += values[i]
      sums[channel] += sum
    }
  }

  get means(): Float64Array | undefined {
    return this.sums.length ? this.sums.map(sum => (sum * this.sums.length) / this.count) : undefined
  }
}
