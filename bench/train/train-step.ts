import type * as Tf from '@tensorflow/tfjs-core'
import { permuted } from '../../cli/measure/index.js'
import { Random } from '../../train/index.js'
import { openBackbone } from '../../train/network/open.js'
import { settingsOf } from '../../train/options.js'
import { type Batch, Stage } from '../../train/stage.js'
import type { Tfjs } from './tfjs-training.js'
import type { TrainCase } from './train-cases.js'

/** One step of training: forward, backward, update by SGD with momentum. */
export interface Trained {
  /** The loss before the update. */
  step(): Promise<number>
  /** In the order of the layers, in ONNX's order of axes. */
  weights(): Promise<readonly Float32Array[]> | readonly Float32Array[]
  release(): Promise<void> | void
}

export interface TfjsTrained extends Trained {
  readonly backend: string
}

const rate = 0.01
const momentum = 0.9

/** Noise and labels by lot, the same for everybody. */
export function batchOf({ example, classes }: TrainCase, count: number): Batch {
  const random = new Random(1)
  const size = example.reduce((a, b) => a * b, 1)
  const targets = new Float32Array(count * classes)
  for (let i = 0; i < count; i++) targets[i * classes + Math.floor(random.between(0, classes))] = 1
  return {
    features: Float32Array.from({ length: count * size }, () => random.between(-1, 1)),
    targets,
    weights: new Float32Array(count).fill(1 / count)
  }
}

export interface CairnTrained extends Trained {
  readonly shapes: readonly (readonly number[])[]
}

export async function openCairn(subject: TrainCase, batch: Batch): Promise<CairnTrained> {
  const { unfreeze, classes } = subject
  const backbone = openBackbone(subject.model(), {})
  const options = {
    classes: Array.from({ length: classes }, (_, i) => String(i)),
    optimizer: 'momentum',
    momentum,
    initialise: unfreeze === 'all' ? 'xavier' : undefined
  } as const
  const stage = await Stage.open(backbone, backbone.findCut({ unfreeze }), settingsOf(options))
  const pace = { rate: Float32Array.of(rate, 1, 1), follow: 0 }
  return {
    shapes: stage.parameters.map(({ shape }) => shape),
    step: async () => (await stage.step(batch, pace, 1)).loss,
    weights: async () => {
      await stage.settle()
      return [...stage.weights().values()]
    },
    release: () => stage.release()
  }
}

/** Convolutions have their filters as [height, width, in, out] here, matrices as [in, out]. */
const orders: Readonly<Record<number, readonly number[]>> = { 1: [0], 2: [1, 0], 4: [2, 3, 1, 0] }

/** On the WebAssembly backend; where that has to be lent a kernel, on the one in plain JavaScript first. */
export async function openTfjs(
  { tf, lent }: Tfjs,
  subject: TrainCase,
  batch: Batch,
  start: CairnTrained
): Promise<TfjsTrained[]> {
  const initial = await start.weights()
  const open = (backend: 'wasm' | 'cpu', title: string) =>
    openOn(tf, backend, title, subject, batch, start.shapes, initial)
  const borrows = lent && start.shapes.some(({ length }) => length === 4)
  return borrows ? [await open('cpu', 'cpu'), await open('wasm', `wasm, ${lent} lent`)] : [await open('wasm', 'wasm')]
}

async function openOn(
  tf: typeof Tf,
  backend: 'wasm' | 'cpu',
  title: string,
  { example, classes, scores }: TrainCase,
  { features, targets, weights: { length: count } }: Batch,
  shapes: CairnTrained['shapes'],
  initial: readonly Float32Array[]
): Promise<TfjsTrained> {
  await tf.setBackend(backend)
  await tf.ready()
  const variables = initial.map((data, i) => {
    const order = orders[shapes[i].length]
    return tf.variable(
      tf.tensor(
        permuted(data, shapes[i], order),
        order.map(axis => shapes[i][axis])
      )
    )
  })
  const optimizer = tf.train.momentum(rate, momentum)
  return {
    backend: title,
    async step() {
      if (tf.getBackend() !== backend) await tf.setBackend(backend)
      const x = tf.tensor(features, [count, ...example])
      const y = tf.tensor2d(targets, [count, classes])
      const loss = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(y, scores(tf, x, variables)) as Tf.Scalar,
        true,
        variables
      )!
      const [value] = loss.dataSync()
      tf.dispose([x, y, loss])
      return value
    },
    weights: () =>
      variables.map((variable, i) => permuted(variable.dataSync(), shapes[i], orders[shapes[i].length], true)),
    release() {
      optimizer.dispose()
      tf.dispose(variables)
    }
  }
}

/** After three steps each: the largest difference of a peer's weight, as a share of the largest weight of its tensor. */
export async function disagreements(cairn: Trained, peers: readonly Trained[]): Promise<number[]> {
  for (let i = 0; i < 3; i++) for (const each of [cairn, ...peers]) await each.step()
  const own = await cairn.weights()
  const all = await Promise.all(peers.map(peer => peer.weights()))
  return all.map(weights => Math.max(...weights.map((theirs, i) => differenceOf(own[i], theirs))))
}

function differenceOf(own: Float32Array, theirs: Float32Array): number {
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return own.reduce((worst, value, i) => Math.max(worst, Math.abs(value - theirs[i])), 0) / largest
}
