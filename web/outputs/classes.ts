import { softmax } from 'cairnjs'
import { namesFor } from '../model/labels.js'
import { areShares, type Classes, isUnit, type RecogniseOne, sumOf, vectorOf } from './output.js'

/** Names of outputs that say so themselves. */
const telling = /logit|prob|softmax|categor|class/i

/**
 * An output with one axis that is longer than one (1×1000, 1×1000×1×1) holds a number for each class, if these are shares of
 * one. Other numbers may as well be features, ages or places: they need somebody who knows of classes, which are labels
 * of that length, the output's name, or the user.
 */
export const classes: RecogniseOne = (output, fed) => {
  const scores = output.type.startsWith('float') ? vectorOf(output, fed) : undefined
  if (!scores?.every(Number.isFinite)) return undefined
  const names = namesFor('classes', scores.length, fed)
  const found = (given: Classes['given'], probabilities: Classes['probabilities']) =>
    ({ kind: 'classes', of: [output.name], given, probabilities, ...names }) as const
  const shares = areShares(scores)
  if (shares && isWhole(scores)) return found('shares', scores)
  const powers = scores.map(Math.exp)
  if (areShares(powers) && isWhole(powers)) return found('logarithms', powers)
  const { classifiers, own } = fed.knowledge
  const isSaid = classifiers === 'all' || classifiers.has(output.name) || telling.test(output.name)
  if (!isSaid && (!names || (isUnit(scores) && names.labels !== own))) return undefined
  return shares ? found('independent', scores) : found('scores', softmax(scores))
}

const isWhole = (shares: Float32Array) => Math.abs(sumOf(shares) - 1) < 1e-2
