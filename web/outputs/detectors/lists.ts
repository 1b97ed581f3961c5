import type { Output } from '../../engine/protocol.js'
import { namesUpTo } from '../../model/labels.js'
import { areShares, floor, type Recognise } from '../output.js'
import { type Corners, unitOf } from './rows.js'

/**
 * Boxes, scores and classes in outputs of their own, behind NonMaxSuppression: torchvision's [N, 4], [N], [N]; TensorRT's
 * and TensorFlow's [1, N, 4], [1, N], [1, N] with how many of them count.
 */
export const lists: Recognise = (outputs, fed) => {
  if (!fed.planes) return undefined
  for (const boxes of outputs) {
    const count = countOf(boxes)
    if (count === undefined) continue
    const vectors = outputs.filter(other => other !== boxes && isVector(other, count))
    const labels = labelsOf(vectors)
    const scores = scoresOf(vectors.filter(other => other !== labels))
    // Boxes with scores of no classes: faces, or proposals.
    if (!scores) continue
    const counted = outputs.find(
      other => other !== boxes && other !== scores && other !== labels && other.data.length === 1 && isWhole(other)
    )
    const used = Math.min(count, counted?.data[0] ?? count)
    // TensorFlow's detectors write y before x.
    const swapped = /detection_boxes/i.test(boxes.name)
    const corners = Array.from({ length: used }, (_, row) => cornersAt(boxes, row, swapped))
    const live = corners.filter((_, row) => scores.data[row] >= floor)
    const unit = unitOf(live, fed)
    if (!unit || !live.every(([left, top, right, bottom]) => right >= left && bottom >= top)) continue
    const found = corners.map(([left, top, right, bottom], row) => ({
      ...{ left: left / unit.wide, right: right / unit.wide, top: top / unit.high, bottom: bottom / unit.high },
      ...{ score: scores.data[row], index: labels?.data[row] ?? 0 }
    }))
    const kept = found.filter(({ score }) => score >= floor).sort((a, b) => b.score - a.score)
    const highest = kept.reduce((most, { index }) => Math.max(most, index), 0)
    const of = [boxes, scores, labels, counted].flatMap(output => (output ? [output.name] : []))
    return { kind: 'boxes', of, classes: labels ? undefined : 1, boxes: kept, ...namesUpTo(highest, fed) }
  }
  return undefined
}

/** Rows of an output of boxes. */
function countOf({ dims, type }: Output): number | undefined {
  const fits = dims.at(-1) === 4 && (dims.length === 2 || (dims.length === 3 && dims[0] === 1))
  return fits && type.startsWith('float') ? dims.at(-2) : undefined
}

/** One number for each box. */
function isVector({ dims, data }: Output, count: number): boolean {
  const long = dims.filter(size => size !== 1)
  return data.length === count && (count === 1 || count === 0 || long.length === 1)
}

const isWhole = ({ data }: Output) => data.every(value => Number.isInteger(value) && value >= 0)

/** The one whose name or type says so, else one of whole numbers beside one of fractions. */
function labelsOf(vectors: readonly Output[]): Output | undefined {
  const whole = vectors.filter(isWhole)
  const said = whole.find(({ name, type }) => /class|label/i.test(name) || /int/.test(type))
  return said ?? (vectors.length > 1 ? whole[0] : undefined)
}

function scoresOf(vectors: readonly Output[]): Output | undefined {
  const shares = vectors.filter(({ type, data }) => type.startsWith('float') && areShares(data))
  return shares.find(({ name }) => /score|conf|prob/i.test(name)) ?? shares[0]
}

function cornersAt({ data }: Output, row: number, swapped: boolean): Corners {
  const [a, b, c, d] = data.subarray(row * 4, row * 4 + 4)
  return swapped ? [b, a, d, c] : [a, b, c, d]
}
