import { cutsOf, type Program } from '../../runtime/file/index.js'
import type { Results, Tensor } from '../../runtime/index.js'
import { type Scored, softmax, topK } from '../../runtime/tensor/index.js'
import { InputError } from '../terminal/index.js'
import { namesFor } from './labels.js'
import { toNumbers } from './numbers.js'

/** Which output holds the scores of classes, if any does: boxes, embeddings and landmarks are numbers in a row as well. */
export interface Classes {
  readonly output: string
  /** The scores were no probabilities, and have been made some for showing. */
  readonly softmax: boolean
  readonly top: readonly (Scored & { readonly label?: string })[]
}

export interface Wanted {
  readonly count: number
  readonly labels: readonly string[] | undefined
  /** Somebody has said that there are classes: it need not be guessed. */
  readonly said: boolean
}

type Ports = Pick<Program, 'inputs' | 'outputs' | 'counts'>

interface Candidate {
  readonly output: string
  readonly scores: Float64Array
}

/** Numbers of classes that everybody knows, of pictures of any size, and of small ones. */
const usual = new Set([1000, 1001, 21841, 21843])
const usualOfSmall = new Set([10, 100])
const small = 64

const ofClasses = /prob|logit|score|class|softmax|predict/i
const ofOthers = /box|loc(s|ation)?$|landmark|embed|feature|keypoint|kpt|age|pose|coord|line/i

/** More apart are no logits: boxes in pixels are. */
const widest = 100

/** The best classes of the first output that holds a distribution over classes, or logits of one. */
export function classesOf(results: Results, ports: Ports, { count, labels, said }: Wanted): Partial<Classes> {
  const candidates = candidatesOf(results, ports)
  const fits = ({ scores }: Candidate) => labels !== undefined && namesFor(labels, scores.length) !== undefined
  if (labels && candidates.length && !candidates.some(fits))
    throw new InputError(`--labels has ${labels.length} lines; the model gives ${candidates[0].scores.length} scores`)
  const known = labels ? candidates.filter(fits) : candidates
  const distribution = known.find(({ scores }) => isDistribution(scores) || isDistribution(scores.map(Math.exp)))
  const found =
    distribution ??
    known.find(
      each =>
        areLogits(each.scores) && (fits(each) || isNamed(each) || isUsual(each, ports) || (said && !isOther(each)))
    )
  if (!found) return {}
  const { output, scores } = found
  const isProbability = isDistribution(scores)
  const names = labels && namesFor(labels, scores.length)
  const best = topK(isProbability ? scores : softmax(scores), count)
  return {
    output,
    softmax: !isProbability,
    top: best.map(each => (names ? { ...each, label: names[each.index] } : each))
  }
}

/** The probability of every class, of the output that `classesOf` shows; undefined where none holds classes. */
export function probabilitiesOf(
  results: Results,
  ports: Ports,
  wanted: Omit<Wanted, 'count'>
): Float64Array | undefined {
  const { top } = classesOf(results, ports, { ...wanted, count: Number.POSITIVE_INFINITY })
  if (!top) return undefined
  const all = new Float64Array(top.length)
  for (const { index, score } of top) all[index] = score
  return all
}

/** Whether a row of numbers may be scores that only their owner can tell from others. */
export const mayHoldClasses = (results: Results, ports: Ports): boolean =>
  candidatesOf(results, ports).some(each => areLogits(each.scores) && !isOther(each))

/** Outputs of one row of floats, of which a run does not decide how many there are. */
function candidatesOf(results: Results, ports: Ports): Candidate[] {
  const isRow = ({ type, dims }: Tensor) =>
    type.startsWith('float') && dims.length < 5 && dims.filter(size => size !== 1).length === 1 && !dims.includes(0)
  return ports.outputs.flatMap(({ name }, i) =>
    isRow(results[name]) && !cutsOf(ports, i).length ? [{ output: name, scores: toNumbers(results[name]) }] : []
  )
}

const isDistribution = (scores: Float64Array) =>
  scores.every(score => score >= 0) && Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-2

/** Not what only looks so: vectors of length 1 are embeddings, numbers between 0 and 1 stand for themselves. */
function areLogits(scores: Float64Array): boolean {
  const [least, largest] = [Math.min(...scores), Math.max(...scores)]
  const length = Math.hypot(...scores)
  const apart = largest - least
  return Number.isFinite(apart) && apart <= widest && !(least >= 0 && largest <= 1) && !(Math.abs(length - 1) < 1e-3)
}

const isOther = ({ output }: Candidate) => ofOthers.test(output)
const isNamed = (candidate: Candidate) => ofClasses.test(candidate.output) && !isOther(candidate)

function isUsual({ scores }: Candidate, { inputs }: Ports): boolean {
  const pictures = inputs.filter(({ shape }) => shape.length === 4)
  const isSmall = pictures.some(({ shape }) => shape.slice(1).every(size => typeof size === 'number' && size <= small))
  return pictures.length > 0 && (usual.has(scores.length) || (isSmall && usualOfSmall.has(scores.length)))
}
