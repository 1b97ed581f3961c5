import { softmax } from 'cairnjs'
import type { Output } from '../../engine/protocol.js'
import { fitting, namesFor } from '../../model/labels.js'
import { areShares, type Box, type Fed, type Recognise, sigmoid } from '../output.js'
import { type Corners, unitOf } from './rows.js'
import { best, suppress } from './suppress.js'

/** Two outputs in front of NonMaxSuppression: boxes [1, N, 4] and scores [1, N, C], or the scores turned, [1, C, N]. */
export const pairs: Recognise = (outputs, fed) => {
  for (const boxes of outputs) {
    const { dims, type } = boxes
    if (!fed.planes || dims.length !== 3 || dims[2] !== 4 || dims[1] < 2 || !type.startsWith('float')) continue
    for (const scores of outputs) {
      const table = scores === boxes ? undefined : tableOf(scores, dims[1])
      const meant = table && meaningOf(table, fed)
      const corners = meant && cornersOf(boxes, fed)
      if (!corners) continue
      const all = corners.map(([left, top, right, bottom], row) => ({ left, top, right, bottom, ...meant.best(row) }))
      const { classes } = meant
      const of = [boxes.name, scores.name]
      return { kind: 'boxes', of, classes, boxes: suppress(all), ...namesFor('boxes', classes, fed) }
    }
  }
  return undefined
}

interface Table {
  readonly rows: number
  readonly classes: number
  /** The scores of a box. */
  row(index: number): Float32Array
}

export function tableOf({ dims, data, type }: Output, rows: number): Table | undefined {
  if (dims.length !== 3 || !type.startsWith('float')) return undefined
  if (dims[1] === rows) {
    const classes = dims[2]
    return { rows, classes, row: index => data.subarray(index * classes, (index + 1) * classes) }
  }
  const classes = dims[1]
  if (dims[2] !== rows) return undefined
  return { rows, classes, row: index => Float32Array.from({ length: classes }, (_, c) => data[c * rows + index]) }
}

interface Meaning {
  readonly classes: number
  best(row: number): Pick<Box, 'score' | 'index'>
}

/**
 * Shares that sum to one have the background first (SSD); other shares are of classes alone. Scores need a number of classes that is
 * known: DETR's have "nothing" last, RT-DETR's are of classes alone.
 */
function meaningOf({ rows, classes, row }: Table, fed: Fed): Meaning | undefined {
  const some = Array.from({ length: Math.min(rows, 200) }, (_, i) => row(Math.floor((i * rows) / Math.min(rows, 200))))
  if (some.every(areShares)) {
    const isWhole = classes > 1 && some.every(scores => Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-2)
    const first = isWhole ? 1 : 0
    return { classes: classes - first, best: index => best(row(index), first, classes - first) }
  }
  if (isKnown(classes, fed))
    return {
      classes,
      best(index) {
        const found = best(row(index), 0, classes)
        return { ...found, score: sigmoid(found.score) }
      }
    }
  if (isKnown(classes - 1, fed))
    return { classes: classes - 1, best: index => best(Float32Array.from(softmax(row(index))), 0, classes - 1) }
  return undefined
}

function isKnown(classes: number, { knowledge: { own, inFile } }: Fed): boolean {
  const lists = [own, inFile].filter(list => list !== undefined)
  return classes === 80 || classes === 91 || fitting(classes, lists) !== undefined
}

/** Left, top, right and bottom, or centre, width and height; distances from anchors are neither. */
function cornersOf({ dims, data }: Output, fed: Fed): Corners[] | undefined {
  const given = Array.from({ length: dims[1] }, (_, row) => [...data.subarray(row * 4, row * 4 + 4)])
  const most = 0.98 * given.length
  const ordered = given.filter(([left, top, right, bottom]) => right >= left && bottom >= top).length >= most
  const sized = given.filter(([, , wide, high]) => wide >= 0 && high >= 0).length >= most
  if (!ordered && !sized) return undefined
  const corners = given.map(
    ([a, b, c, d]): Corners => (ordered ? [a, b, c, d] : [a - c / 2, b - d / 2, a + c / 2, b + d / 2])
  )
  const unit = unitOf(corners, fed)
  return unit && corners.map(([l, t, r, b]) => [l / unit.wide, t / unit.high, r / unit.wide, b / unit.high])
}
