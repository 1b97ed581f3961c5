import type { Output } from '../../engine/protocol.js'
import { namesFor } from '../../model/labels.js'
import { areShares, floor, type Recognise } from '../output.js'
import { tableOf } from './pairs.js'
import { type Corners, unitOf } from './rows.js'

/** NonMaxSuppression's own output, rows [N, 3] of (picture, class, box), with the boxes [1, M, 4] and scores [1, C, M] that it chose from. */
export const selected: Recognise = (outputs, fed) => {
  const boxes = outputs.find(({ dims, type }) => dims.length === 3 && dims[2] === 4 && type.startsWith('float'))
  const kept = outputs.find(output => isChoice(output))
  if (!fed.planes || !boxes || !kept) return undefined
  const scores = outputs.find(
    output => output !== boxes && output !== kept && areShares(output.data) && tableOf(output, boxes.dims[1])
  )
  if (!scores) return undefined
  const { classes, row } = tableOf(scores, boxes.dims[1])!
  const choices = Array.from({ length: kept.data.length / 3 }, (_, i) => [...kept.data.subarray(i * 3, i * 3 + 3)])
  const used = choices.filter(([picture, , box]) => picture === 0 && box < boxes.dims[1])
  const corners = used.map(([, , box]) => [...boxes.data.subarray(box * 4, box * 4 + 4)] as unknown as Corners)
  // ONNX names y before x, exporters write either; TensorFlow's descendants keep to ONNX.
  const swapped = /yolov?3|ssd/.test(fed.knowledge.name)
  const unit = unitOf(
    corners.map(corner => (swapped ? turned(corner) : corner)),
    fed
  )
  if (!unit) return undefined
  const found = used.map(([, index, box], i) => {
    const [a, b, c, d] = swapped ? turned(corners[i]) : corners[i]
    const sides = { left: Math.min(a, c), right: Math.max(a, c), top: Math.min(b, d), bottom: Math.max(b, d) }
    return {
      ...{ left: sides.left / unit.wide, right: sides.right / unit.wide },
      ...{ top: sides.top / unit.high, bottom: sides.bottom / unit.high },
      ...{ score: row(box)[index], index }
    }
  })
  const shown = found.filter(({ score }) => score >= floor).sort((a, b) => b.score - a.score)
  const of = [kept.name, boxes.name, scores.name]
  return { kind: 'boxes', of, classes, boxes: shown, ...namesFor('boxes', classes, fed) }
}

const turned = ([a, b, c, d]: Corners): Corners => [b, a, d, c]

const isChoice = ({ dims, type, data }: Output) =>
  /int/.test(type) &&
  dims.at(-1) === 3 &&
  dims.slice(0, -2).every(size => size === 1) &&
  data.every(value => value >= 0)
