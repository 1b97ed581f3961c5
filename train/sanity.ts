import { differentiate } from '../compiler/gradients/index.js'
import type { Node, Value } from '../compiler/graph/index.js'
import { Interpreter } from '../compiler/lower/index.js'
import { actOf, deadCode } from '../compiler/passes/index.js'
import { Breath } from '../runtime/base/index.js'
import { evaluate } from '../runtime/file/index.js'
import { Random } from '../runtime/train/index.js'
import { Engine } from './device/engine.js'
import { paceOf } from './loop.js'
import { type Backbone, fileOf } from './network/backbone.js'
import { losses, writeLoss } from './network/losses.js'
import type { Cut } from './network/network.js'
import { lowerStep, makeDifferentiable } from './network/pipeline.js'
import type { Settings } from './options.js'
import { type Batch, initial, Stage } from './stage.js'
import { lossInputs, releaseParameters } from './step.js'

/** What the courses tell to try before a training: that gradients are right, and that a few examples can be learnt by heart. */
export interface Check {
  readonly gradients: readonly GradientCheck[]
  readonly overfit: Overfit
  /** Layers with units that are 0 for every example, and their share. */
  readonly dead: readonly { readonly name: string; readonly share: number }[]
}

export interface GradientCheck {
  readonly name: string
  /** Elements that central differences were taken of; kinks are passed over. */
  readonly elements: number
  /** The largest difference, as a share of the tensor's largest gradient, or of the least that differences tell from nothing. */
  readonly error: number
}

export interface Overfit {
  readonly examples: number
  readonly steps: number
  readonly first: number
  readonly loss: number
  readonly learnt: boolean
}

export interface Subject {
  readonly backbone: Backbone
  readonly cut: Cut
  readonly settings: Settings
}

/** Steps of the differences, as they are tried: wide ones round least, which small gradients need, narrow ones cross fewest kinks. */
const widths = [1e-6, 1e-5, 1e-7] as const
/** As shares of the tensor's largest gradient: how far differences of two widths may be apart, and those of the two sides. */
const agreement = 1e-5
const bend = 1e-3
/** Of a loss in double precision, as a share of it. */
const rounding = 2 ** -50
/** Multiply-accumulates that differences may cost in all; the reference computes some 10^8 a second. */
const affordable = 6e9

/** Analytic gradients against central differences, in double precision on the reference. */
export function checkGradients(subject: Subject, batch: Batch, progress: (what: string) => void): GradientCheck[] {
  const { cut, settings } = subject
  const program = (gradients: boolean) => {
    const { graph, input, logits } = subject.backbone.section(cut, { classes: settings.classes.length, dropout: 0 })
    const parameters = releaseParameters(graph, settings.batchNorm)
    const given = lossInputs(logits)
    graph.inputs = [input, given.targets, given.weights]
    const follow = graph.constant(graph.unique('follow'), Float32Array.of(0), [1])
    makeDifferentiable(graph, settings.batchNorm ? follow : undefined)
    const loss = writeLoss(graph, settings.loss, graph.outputs[0], given.targets, given.weights)
    const learnt = graph.states.filter((_, i) => parameters[i].kind !== 'statistic')
    const one = graph.constant(graph.unique('loss'), Float32Array.of(1), [])
    const made = gradients ? (differentiate(graph, new Map([[loss, one]]), learnt) as Value[]) : []
    graph.outputs = [loss, ...made]
    graph.outputNames = graph.outputs.map((_, i) => String(i))
    graph.outputTypes = graph.outputs.map(() => 'float32')
    return { parameters, lowered: lowerStep(graph), learnt: learnt.map(({ name }) => name) }
  }
  const analytic = program(true)
  const forward = program(false)
  const count = batch.weights.length
  const bindings = Object.fromEntries(analytic.lowered.free.map(name => [name, count]))
  const inputs = [batch.features, batch.targets, batch.weights]
  const open = ({ lowered, parameters }: typeof analytic) => {
    const interpreter = Interpreter.of(lowered)
    // A head of zeros would hide half of the gradients.
    const beginning = initial(parameters, settings)
    parameters.forEach(({ name }, i) => {
      interpreter.derived[i].set(beginning.get(name)!)
    })
    return interpreter
  }
  const [[loss], ...gradients] = open(analytic).run(inputs, bindings)
  const cost = evaluate(forward.lowered.macs, bindings)
  const elements = Math.max(1, Math.min(12, Math.floor(affordable / (4 * gradients.length * Math.max(cost, 1)))))
  const random = new Random(settings.seed)
  return analytic.learnt.map((name, at) => {
    progress(`differences of ${name}`)
    const gradient = gradients[at]
    const scale = gradient.reduce((largest, value) => Math.max(largest, Math.abs(value)), leastScale(loss))
    const state = forward.lowered.states.findIndex(each => each.name === name)
    const lossAt = (element: number, move: number): number => {
      const interpreter = open(forward)
      interpreter.derived[state][element] += move
      return interpreter.run(inputs, bindings)[0][0]
    }
    const errors: number[] = []
    for (let tries = 0; errors.length < Math.min(elements, gradient.length) && tries < 3 * elements; tries++) {
      const element = random.whole(gradient.length)
      const slope = slopeOf(move => lossAt(element, move), loss, scale)
      if (slope !== undefined) errors.push(Math.abs(slope - gradient[element]) / scale)
    }
    return { name, elements: errors.length, error: Math.max(0, ...errors) }
  })
}

/** The least gradient that differences tell from the loss's rounding: one of zero, a bias's of balanced classes, is to be below it. */
const leastScale = (loss: number) => Math.max(1e-8, (2 * rounding * Math.abs(loss)) / (agreement * Math.max(...widths)))

/** A derivative at 0, where the loss is `here`, by differences that agree for both sides and for two widths; undefined at a kink. */
function slopeOf(lossAt: (move: number) => number, here: number, scale: number): number | undefined {
  const sides = (width: number) => [(lossAt(width) - here) / width, (here - lossAt(-width)) / width]
  for (const width of widths) {
    // Of a smaller gradient the differences have only the loss's rounding.
    if ((rounding * Math.abs(here)) / width > agreement * scale) continue
    const [above, below] = sides(width)
    if (Math.abs(above - below) > bend * scale) continue
    const slope = (above + below) / 2
    const [nearAbove, nearBelow] = sides(width / 4)
    if (Math.abs(slope - (nearAbove + nearBelow) / 2) <= agreement * scale) return slope
  }
  return undefined
}

/** Trains on one small batch until it is known by heart. */
export async function overfit(subject: Subject, batch: Batch, labels: readonly number[]): Promise<Overfit> {
  const { backbone, cut } = subject
  const settings: Settings = {
    ...subject.settings,
    optimizer: 'adam',
    momentum: 0.9,
    weightDecay: 0,
    l1: 0,
    clip: 0,
    dropout: 0,
    dropConnect: 0
  }
  const stage = await Stage.open(backbone, cut, settings)
  const most = 800
  const { guessing } = losses[settings.loss]
  // Cross-entropies below 0.05, and as small a part of what guessing gives of others.
  const known = (0.05 * guessing(stage.outputs)) / Math.log(stage.outputs)
  const breath = new Breath()
  let [first, loss, steps, learnt] = [Number.NaN, Number.NaN, 0, false]
  while (steps < most && !learnt) {
    steps++
    await breath.take()
    const stepped = await stage.step(batch, paceOf(settings, Math.max(settings.learningRate, 1e-3), steps), steps)
    loss = stepped.loss
    if (steps === 1) first = loss
    if (!Number.isFinite(loss)) break
    learnt = loss < known
  }
  await stage.release()
  return { examples: labels.length, steps, first, loss, learnt }
}

/** Units of rectified layers in the trained part that are 0 for every example, before it is trained. */
export async function deadUnits(subject: Subject, batch: Batch): Promise<Check['dead']> {
  const { backbone, cut, settings } = subject
  const { graph } = backbone.section(cut, { classes: settings.classes.length, dropout: 0 })
  const parameters = releaseParameters(graph, settings.batchNorm)
  makeDifferentiable(graph)
  const rectified = graph.nodes.filter(node => isRectifier(node) && node.output.rank > 1)
  if (!rectified.length) return []
  graph.outputs = rectified.map(node => node.output)
  graph.outputNames = rectified.map(node => node.name)
  graph.outputTypes = rectified.map(() => 'float32')
  deadCode.run(graph)
  const shapes = rectified.map(node => node.output.shape)
  const engine = await Engine.open(fileOf(lowerStep(graph)), settings.device, settings.numThreads)
  engine.write(initial(parameters, settings))
  const outputs = await engine.run(batch.weights.length, { features: batch.features })
  await engine.release()
  return outputs.flatMap((data, i) => {
    const share = deadShare(data, batch.weights.length, Number(shapes[i][1]))
    return share > 0.1 ? [{ name: rectified[i].name, share }] : []
  })
}

const isRectifier = (node: Node) => node.op === 'Activation' && actOf(node) === 'clip' && node.number('alpha', 0) === 0

/** The share of channels that are 0 everywhere, of [count, channels, ...]. */
function deadShare(data: Float32Array, count: number, channels: number): number {
  const size = data.length / count / channels
  let dead = 0
  for (let c = 0; c < channels; c++) {
    let alive = false
    for (let n = 0; n < count && !alive; n++) {
      const from = (n * channels + c) * size
      alive = data.subarray(from, from + size).some(value => value !== 0)
    }
    if (!alive) dead++
  }
  return dead / channels
}
