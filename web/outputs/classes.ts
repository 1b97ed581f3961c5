import { softmax } from 'cairn'
import type { Output } from '../protocol.js'
import type { Classes, Recognise } from './output.js'

/** An output with one axis that is longer than one (1×1000, 1×1000×1×1) holds a score for each class. */
export const classes: Recognise = (outputs): Classes | undefined => {
  const scores = outputs.map(firstScores).find(each => each !== undefined)
  if (!scores) return undefined
  const sum = scores.reduce((a, b) => a + b, 0)
  const isProbability = scores.every(score => score >= 0) && Math.abs(sum - 1) < 1e-2
  return { kind: 'classes', probabilities: isProbability ? scores : softmax(scores), softmaxed: !isProbability }
}

/** Of the first picture of the batch. */
function firstScores({ type, dims, data }: Output): Float32Array | undefined {
  const long = dims.slice(1).filter(size => size > 1)
  return type.startsWith('float') && dims.length < 5 && long.length === 1 ? data.subarray(0, long[0]) : undefined
}
