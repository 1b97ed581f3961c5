import type { Program } from '../../runtime/file/index.js'
import type { InferenceSession, Results, Tensor } from '../../runtime/index.js'
import { softmax } from '../../runtime/tensor/index.js'
import { classesOf, toNumbers } from '../model/index.js'
import { InputError } from '../terminal/index.js'

/** What quantising has cost: a network in floats and in bytes, on the same labelled pictures. */

export interface Examples {
  readonly names: readonly string[]
  /** The model's class of each. */
  readonly labels: readonly number[]
  /** The model's feeds; nothing of an example that cannot be read, which counts for nobody. */
  input(index: number): Readonly<Record<string, Tensor>> | undefined
}

export interface Accuracy {
  /** Shares of the pictures, 0 to 1, whose class is the best, or among the best five. */
  readonly top1: number
  readonly top5: number
  /** Median time of a picture. */
  readonly ms: number
}

export interface Answer {
  readonly class: number
  /** Probability of that class, 0 to 1. */
  readonly confidence: number
}

/** What both make of one picture. */
export interface Difference {
  readonly name: string
  readonly label: number
  readonly float: Answer
  readonly int8: Answer
  /** Probability that has moved from some classes to others (total variation), 0 to 1. */
  readonly moved: number
}

export interface Comparison {
  readonly images: number
  readonly float: Accuracy
  readonly int8: Accuracy
  /** Share of the pictures, 0 to 1, that both take for the same class. */
  readonly agreement: number
  /** The pictures on which they differ most, the worst first; none on which they do not differ. */
  readonly worst: readonly Difference[]
}

/** Where a network's scores are, and how many. */
export interface Scores {
  readonly output: string
  /** They are logits. */
  readonly softmax: boolean
  readonly count: number
}

const mostWorst = 10

/** The output that holds the scores of classes, told from what a run on a picture gives. */
export function scoresOf(results: Results, ports: Pick<Program, 'inputs' | 'outputs' | 'counts'>): Scores {
  const wanted = { count: Number.POSITIVE_INFINITY, labels: undefined, said: true }
  const { output, softmax = false, top } = classesOf(results, ports, wanted)
  if (output === undefined || !top) throw new InputError('no output holds one score a class')
  return { output, softmax, count: top.length }
}

interface Tally {
  readonly top1: boolean[]
  readonly top5: boolean[]
  readonly ms: number[]
}

/** Runs both on every example, in turn. */
export async function compareAccuracy(
  sessions: Readonly<Record<'float' | 'int8', InferenceSession>>,
  scores: Scores,
  examples: Examples,
  onProgress: (done: number) => void = () => undefined
): Promise<Comparison> {
  const tally = (): Tally => ({ top1: [], top5: [], ms: [] })
  const tallies = { float: tally(), int8: tally() }
  const differences: Difference[] = []
  let [images, agreed] = [0, 0]
  for (const [index, label] of examples.labels.entries()) {
    const feeds = examples.input(index)
    if (!feeds) continue
    images++
    const answered = async (kind: keyof typeof sessions) => {
      const began = performance.now()
      const results = await sessions[kind].run(feeds)
      tallies[kind].ms.push(performance.now() - began)
      const probabilities = probabilitiesOf(results, scores)
      const rank = rankOf(probabilities, label)
      tallies[kind].top1.push(rank < 1)
      tallies[kind].top5.push(rank < 5)
      return probabilities
    }
    const [a, b] = [await answered('float'), await answered('int8')]
    const [float, int8] = [bestOf(a), bestOf(b)]
    agreed += Number(float.class === int8.class)
    const moved = a.reduce((sum, share, i) => sum + Math.abs(share - b[i]), 0) / 2
    if (moved > 0) differences.push({ name: examples.names[index], label, float, int8, moved })
    onProgress(index + 1)
  }
  const accuracyOf = ({ top1, top5, ms }: Tally): Accuracy => ({
    top1: top1.filter(Boolean).length / images,
    top5: top5.filter(Boolean).length / images,
    ms: [...ms].sort((a, b) => a - b)[images >> 1]
  })
  const worst = differences.sort((a, b) => b.moved - a.moved).slice(0, mostWorst)
  return { images, float: accuracyOf(tallies.float), int8: accuracyOf(tallies.int8), agreement: agreed / images, worst }
}

function probabilitiesOf(results: Results, { output, softmax: areLogits, count }: Scores): Float64Array {
  const tensor = results[output]
  const numbers = tensor && toNumbers(tensor)
  if (numbers?.length !== count)
    throw new InputError(
      `output "${output}" is ${numbers ? `of ${numbers.length} scores` : 'missing'}; of ${count} in the model of floats: another network`
    )
  return areLogits ? Float64Array.from(softmax(numbers)) : numbers
}

/** How many classes stand before one; of equal scores the first does. */
function rankOf(scores: Float64Array, label: number): number {
  const own = scores[label]
  return scores.reduce((before, score, i) => before + Number(score > own || (score === own && i < label)), 0)
}

function bestOf(scores: Float64Array): Answer {
  const best = scores.reduce((most, score, i) => (score > scores[most] ? i : most), 0)
  return { class: best, confidence: scores[best] }
}
