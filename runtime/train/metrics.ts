import { CairnError } from '../base/index.js'

/** How good a classifier is. Classes are whole numbers from 0; `labels` are the true ones. */

/** The class of the largest score in each row of `scores`, [samples, classes]; of equal ones the first. */
export function predictionsOf(scores: ArrayLike<number>, classes: number): number[] {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0
    for (let c = 1; c < classes; c++) if (scores[row * classes + c] > scores[row * classes + best]) best = c
    return best
  })
}

function checkLengths(predicted: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (predicted.length !== labels.length)
    throw new CairnError(`${predicted.length} predictions and ${labels.length} labels: as many of both are needed`)
}

/** Share of the predictions that are right; NaN of none. */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkLengths(predicted, labels)
  let right = 0
  for (let i = 0; i < labels.length; i++) right += Number(predicted[i] === labels[i])
  return right / labels.length
}

/** Samples by true class (row) and predicted class (column). */
export type Confusions = readonly (readonly number[])[]

export function confusionMatrix(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number[][] {
  checkLengths(predicted, labels)
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < labels.length; i++) {
    for (const [what, index] of [
      ['label', labels[i]],
      ['prediction', predicted[i]]
    ] as const)
      if (!Number.isInteger(index) || index < 0 || index >= classes)
        throw new CairnError(`${what} ${index} of sample ${i}: 0 to ${classes - 1} are allowed`)
    matrix[labels[i]][predicted[i]]++
  }
  return matrix
}

export interface ClassQuality {
  /** Samples of the class. */
  readonly count: number
  /** Of those predicted as this class, the share that are; NaN where none was. */
  readonly precision: number
  /** Of those of this class, the share that were found; NaN where there are none. */
  readonly recall: number
}

export function qualityOf(matrix: Confusions): ClassQuality[] {
  return matrix.map((row, c) => {
    const count = row.reduce((sum, samples) => sum + samples, 0)
    const predicted = matrix.reduce((sum, other) => sum + other[c], 0)
    return { count, precision: row[c] / predicted, recall: row[c] / count }
  })
}

/** The mean of what was added, for losses of mini-batches of unequal size. */
export class RunningMean {
  private sum = 0
  private total = 0

  /** `weight` is the number of samples that `value` is the mean of. */
  add(value: number, weight = 1): void {
    this.sum += value * weight
    this.total += weight
  }

  /** NaN of nothing. */
  get mean(): number {
    return this.sum / this.total
  }
}
