// The figures of one network in the table of accuracies.
import { readFileSync } from 'node:fs'
import { compareAccuracy, scoresOf } from '../../cli/quantise/index.js'
import { build, compile } from '../../compiler/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { editDistance, readText } from './letters.js'
import { drawLine, type Line, lineHeight } from './lines.js'
import { nameOf, type Places, type Recipe, trainedOf } from './networks.js'
import { quantised } from './quantiser.js'

export interface Row {
  readonly name: string
  /** What is counted, and of how many: top-1 of images, or letters of lines read right. */
  readonly what: string
  readonly examples: number
  /** Shares, 0 to 1. */
  readonly float: number
  readonly int8: number
  readonly top5?: readonly [number, number]
  /** Share of the examples that both answer alike. */
  readonly agreement: number
  /** Bytes of the compiled files. */
  readonly bytes: readonly [number, number]
  /** Median of an example, in milliseconds. */
  readonly ms: readonly [number, number]
}

/** Most examples that calibrate. */
export const mostCalibrating = 200

const optionsOf = (threads: number) => ({ executionProviders: ['wasm'], numThreads: threads })

async function openBoth(model: Uint8Array, feeds: readonly Record<string, Tensor>[], threads: number) {
  const files = [await compile(model), await compile(await quantised(model, feeds))]
  const [float, int8] = await Promise.all(files.map(file => InferenceSession.create(file, optionsOf(threads))))
  const release = () => Promise.all([float.release(), int8.release()])
  return { sessions: { float, int8 }, bytes: [files[0].length, files[1].length] as const, release }
}

/** Top-1 and top-5 on pictures that the network was not trained on. */
export async function measureClassifier(recipe: Recipe, places: Places, threads: number): Promise<Row> {
  const { model, dataset, training, test } = await trainedOf(recipe, places)
  const header = build(model).program
  const [{ name, shape }] = header.inputs
  const dims = [1, ...(shape.slice(1) as number[])]
  const input = (index: number) => ({ [name]: new Tensor('float32', dataset.input(index, undefined), dims) })
  const every = Math.max(1, Math.floor(training.length / mostCalibrating))
  const calibrating = training.filter((_, i) => i % every === 0).slice(0, mostCalibrating)
  const { sessions, bytes, release } = await openBoth(model, calibrating.map(input), threads)
  const scores = scoresOf(await sessions.float.run(input(test[0])), header)
  const examples = {
    names: test.map(String),
    labels: test.map(index => dataset.labels[index]),
    input: (at: number) => input(test[at])
  }
  const { images, float, int8, agreement } = await compareAccuracy(sessions, scores, examples)
  await release()
  return {
    ...{ name: nameOf(recipe), what: 'top-1', examples: images, float: float.top1, int8: int8.top1 },
    ...{ top5: [float.top5, int8.top5], agreement, bytes, ms: [float.ms, int8.ms] }
  }
}

export interface Reading {
  readonly model: string
  readonly letters: string
  readonly lines: number
}

/** The share of letters that need no mending, by edit distance, of a recogniser on drawn lines. */
export async function measureReading({ model: path, letters: file, lines: count }: Reading, threads: number) {
  const model = new Uint8Array(readFileSync(path))
  const letters = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/)
  const [{ name }] = build(model).program.inputs
  const feeds = ({ data, width }: Line) => ({ [name]: new Tensor('float32', data, [1, 3, lineHeight, width]) })
  const drawn = (first: number, many: number) =>
    Promise.all(Array.from({ length: many }, (_, i) => drawLine(first + i)))
  const calibrating = await drawn(firstCalibrating, linesCalibrating)
  const { sessions, bytes, release } = await openBoth(model, calibrating.map(feeds), threads)
  const wrong = { float: 0, int8: 0 }
  const times = { float: [] as number[], int8: [] as number[] }
  let [all, alike] = [0, 0]
  for (const line of await drawn(0, count)) {
    const read = async (kind: keyof typeof sessions) => {
      const began = performance.now()
      const [scores] = Object.values(await sessions[kind].run(feeds(line)))
      times[kind].push(performance.now() - began)
      // Whether the margins of a line are blanks nobody can say.
      const text = readText(scores.data as Float32Array, scores.dims[2], letters).text.trim()
      wrong[kind] += editDistance(text, line.text)
      return text
    }
    alike += Number((await read('float')) === (await read('int8')))
    all += line.text.length
  }
  await release()
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]
  return {
    ...{ name: 'PP-OCRv4 recogniser, drawn text', what: 'letters', examples: count },
    ...{ float: 1 - wrong.float / all, int8: 1 - wrong.int8 / all, agreement: alike / count, bytes },
    ms: [median(times.float), median(times.int8)]
  } satisfies Row
}

/** Fewer than pictures: a line is many steps, each of which sees other letters. */
const linesCalibrating = 40

/** Seeds of the lines that calibrate are not those of the lines that are read. */
const firstCalibrating = 1_000_000
