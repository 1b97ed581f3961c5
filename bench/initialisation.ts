// How weights begin decides what is learnt: two small networks from scratch on Fashion-MNIST, with four initialisations.
// `npm run bench:initialisation [-- FOLDER --epochs E --out FILE]` draws docs/initialisation.svg. The folder holds the files of
// Debian's package dataset-fashion-mnist.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../cli/terminal/index.js'
import { openData } from '../cli/train/index.js'
import { zoo } from '../models/index.js'
import type { Picture } from '../runtime/index.js'
import { type Dataset, Trainer } from '../train/index.js'
import { colours, drawn, ink } from './chart.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'

const { values, positionals } = readArguments('npm run bench:initialisation -- [FOLDER] [--epochs E] [--out FILE]', {
  epochs: '6',
  out: fileURLToPath(new URL('../../docs/initialisation.svg', import.meta.url))
})
const epochs = numberOf('epochs', values.epochs, 1)
const folder = positionals[0] ?? '/usr/share/datasets/fashion-mnist'

const networks = { lenet5: 'LeNet-5, tanh', 'lenet-caffe': 'LeNet as in Caffe, ReLU' } as const
const initialisations = { zeros: 'zeros', 'normal=0.4': 'N(0, 0.4)', xavier: 'Xavier', he: 'He' } as const
const training = 3200
const validation = 1000
const batchSize = 64
const learningRate = 0.01
/** Steps that a point of a curve is the mean of; they divide an epoch. */
const window = 10

interface Point {
  readonly network: string
  readonly initialisation: string
  readonly step: number
  readonly loss: number
}

const stem = 'train-images-idx3-ubyte'
if (![stem, `${stem}.gz`].some(name => existsSync(join(folder, name))))
  fail(`no ${stem}.gz in ${folder}; the Debian package dataset-fashion-mnist has it, or name another folder`)
const { pictures } = await openData(folder).catch(error => fail((error as Error).message))
const examples = [...Array(training).keys(), ...pictures.validation!.slice(0, validation)]
const split = {
  training: [...Array(training).keys()],
  validation: Array.from({ length: validation }, (_, i) => training + i)
}

const points: Point[] = []
const rows: string[][] = []
for (const [network, title] of Object.entries(networks)) {
  const [, , side] = zoo[network].input as number[]
  const inputs = examples.map(index => framed(pictures.read(index), side))
  const data = { labels: examples.map(index => pictures.labels[index]), input: (index: number) => inputs[index] }
  for (const [initialise, initialisation] of Object.entries(initialisations)) {
    const curve = await learn(zoo[network].build(), initialise, data)
    points.push(...curve.points.map(point => ({ network: title, initialisation, ...point })))
    rows.push([title, initialisation, ...curve.figures])
    console.error(`${title}, ${initialisation}: ${curve.figures.join(', ')}`)
  }
}
const header = ['network', 'initialisation', 'loss, first epoch', 'last epoch', 'right on new pictures', 'seconds']
console.log(table(header, rows, ['left', 'left', 'right', 'right', 'right', 'right']))
writeFileSync(values.out!, await picture(points))
console.log(`written to ${values.out}`)

/** A picture's brightness from 0 to 1, in the middle of a black square. */
function framed({ data, width, height }: Picture, side: number): Float32Array {
  const square = new Float32Array(side * side)
  const [left, top] = [(side - width) >> 1, (side - height) >> 1]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) square[(y + top) * side + x + left] = data[(y * width + x) * 3] / 255
  return square
}

async function learn(model: Uint8Array, initialise: string, data: Dataset) {
  const trainer = await Trainer.create(model, {
    classes: pictures.classes,
    initialise,
    optimizer: 'momentum',
    learningRate,
    schedule: 'constant',
    epochs,
    batchSize,
    seed: 1
  })
  const points: { step: number; loss: number }[] = []
  const began = Date.now()
  let before = 0
  let first = 0
  const { history, stopped } = await trainer.fit(data, {
    split,
    onStep(done, total, mean) {
      if (done % window === 0) {
        points.push({ step: first + done, loss: (mean * done - before) / window })
        before = mean * done
      }
      if (done === total) {
        first += total
        before = 0
      }
    }
  })
  await trainer.release()
  if (stopped !== undefined) console.error(stopped)
  const losses = [history[0], history[history.length - 1]].map(({ trainLoss }) => trainLoss.toFixed(3))
  const right = `${(history[history.length - 1].validationAccuracy! * 100).toFixed(1)} %`
  return { points, figures: [...losses, right, ((Date.now() - began) / 1000).toFixed(0)] }
}

function picture(values: readonly Point[]): Promise<string> {
  const names = Object.values(initialisations)
  const highest = 2.6
  const y = { type: 'quantitative' as const, scale: { domain: [0, highest] } }
  return drawn({
    title: {
      text: 'How weights begin decides what is learnt',
      subtitle: [
        `Cross-entropy while training on ${training} pictures of Fashion-MNIST;`,
        `momentum 0.9, learning rate ${learningRate}, batches of ${batchSize}; means of ${window} steps`
      ],
      anchor: 'start',
      offset: 12
    },
    data: { values: [...values] },
    facet: { column: { field: 'network', type: 'nominal', sort: Object.values(networks), title: null } },
    spec: {
      width: 300,
      height: 220,
      layer: [
        {
          mark: { type: 'line', clip: true, strokeWidth: 2, interpolate: 'monotone' },
          encoding: {
            x: { field: 'step', type: 'quantitative', title: 'steps', axis: { grid: false } },
            y: { field: 'loss', title: 'cross-entropy', axis: { grid: true, values: [0, 0.5, 1, 1.5, 2, 2.5] }, ...y },
            color: {
              field: 'initialisation',
              type: 'nominal',
              sort: names,
              scale: { domain: names, range: [ink, ...colours.slice(1)] },
              title: null,
              legend: { orient: 'top', symbolType: 'stroke', symbolStrokeWidth: 2 }
            },
            strokeDash: {
              field: 'initialisation',
              type: 'nominal',
              scale: {
                domain: names,
                range: [
                  [6, 4],
                  [1, 0],
                  [1, 0],
                  [1, 0]
                ]
              },
              title: null
            }
          }
        },
        {
          mark: { type: 'text', align: 'right', dy: -8, color: ink, fontSize: 10, text: 'ln 10: guessing' },
          encoding: { x: { aggregate: 'max', field: 'step', type: 'quantitative' }, y: { datum: Math.log(10), ...y } }
        }
      ]
    }
  })
}
