import type { Graph, Value } from '../graph/index.js'
import { Writer } from '../infer/index.js'
import { forEachRun, groupsOf, withOutputs } from './calibrate.js'
import { quantiseLayer, type Settings, scaleFor } from './insert.js'
import type { QuantiseOptions } from './options.js'
import type { Plan } from './plan.js'
import { type Feed, type Result, Running } from './session.js'

/** Squares of a tensor and of how far another is from it. */
export class Deviation {
  private squares = 0
  private errors = 0

  add(wanted: Float32Array, given: Float32Array): void {
    for (let i = 0; i < wanted.length; i++) {
      this.squares += wanted[i] ** 2
      this.errors += (given[i] - wanted[i]) ** 2
    }
  }

  /** Root mean square of the error over that of the tensor; infinite where nothing finite compares. */
  get relative(): number {
    if (this.errors === 0) return 0
    const ratio = Math.sqrt(this.errors / this.squares)
    return Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio
  }

  /** The same in decibels of the tensor over the error. */
  get decibels(): number {
    return -20 * Math.log10(this.relative)
  }
}

/** What is kept of outputs that are compared with again and again: 128 MiB. */
const mostKept = 2 ** 25

/** The float model, whose outputs others are compared with. */
export class Standard {
  private readonly known = new Map<Feed, Result[]>()
  private kept = 0

  constructor(readonly running: Running) {}

  /** The largest of the outputs' relative errors. */
  async errorOf(quantised: Running, feeds: Iterable<Feed>): Promise<number> {
    const deviations = quantised.header.outputs.map(() => new Deviation())
    await forEachRun(quantised, feeds, async (outputs, feed) => {
      const wanted = await this.outputsFor(feed)
      outputs.forEach(({ data }, i) => deviations[i].add(wanted[i].data, data))
    })
    return Math.max(0, ...deviations.map(({ relative }) => relative))
  }

  private async outputsFor(feed: Feed): Promise<Result[]> {
    const known = this.known.get(feed)
    if (known) return known
    const outputs = await this.running.run(feed)
    const size = outputs.reduce((sum, { data }) => sum + data.length, 0)
    if (this.kept + size <= mostKept) {
      this.known.set(feed, outputs)
      this.kept += size
    }
    return outputs
  }
}

/**
 * How well each layer does by itself: decibels of its output in the float model over what it is off by where this layer alone is
 * quantised, its input, weights and output. A proxy of what the layer costs the model's outputs, in the time of a few runs for all
 * layers; how errors go on from there it does not say. One number a layer, in the plan's order.
 */
export async function layerErrors(
  graph: Graph,
  source: Uint8Array,
  plan: Plan,
  settings: Settings,
  feeds: Iterable<Feed>,
  { maxMemory, onRun }: QuantiseOptions
): Promise<number[]> {
  const twins = plan.layers.map(layer => ({ value: layer.result, twin: twinOf(graph, plan, layer, settings) }))
  const errors: number[] = []
  for (const group of groupsOf(twins, ({ value }) => [value, value])) {
    const values = group.flatMap(({ value, twin }) => [value, twin])
    const running = await Running.open(withOutputs(graph, source, values), { maxMemory })
    const deviations = group.map(() => new Deviation())
    try {
      await forEachRun(running, feeds, outputs => {
        deviations.forEach((each, i) => each.add(outputs[2 * i].data, outputs[2 * i + 1].data))
        onRun?.('layers alone')
      })
    } finally {
      await running.release()
    }
    errors.push(...deviations.map(({ decibels }) => decibels))
  }
  return errors
}

/** The layer once more, from the same floats through bytes. */
function twinOf(graph: Graph, plan: Plan, layer: Plan['layers'][number], settings: Settings): Value {
  const { node, result, axis } = layer
  const [x] = node.inputs
  const write = new Writer(graph, node.name)
  const through = (value: Value, by: Value): Value => {
    const { scale, zero } = scaleFor(plan, settings.scales, by)
    const parameters = [
      write.scalar(scale),
      graph.constant(graph.unique(node.name), Float64Array.of(zero), [], 'uint8')
    ]
    return write.add('DequantizeLinear', [write.add('QuantizeLinear', [value, ...parameters]), ...parameters])
  }
  const own = write.add(node.op, [through(x!, x!), ...node.inputs.slice(1)], Object.fromEntries(node.attributes))
    .producer!
  quantiseLayer(graph, { node: own, axis, result: own.output }, scaleFor(plan, settings.scales, x!), settings, x!.name)
  const act = result === node.output ? undefined : result.producer!
  const ended = act ? write.add(act.op, [own.output], Object.fromEntries(act.attributes)) : own.output
  return through(ended, result)
}
