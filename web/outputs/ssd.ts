import type { Output } from '../protocol.js'
import type { Boxes, Recognise } from './output.js'
import { best, suppress } from './suppress.js'

/** Two outputs, boxes [1, N, 4] of corners as shares of the input and scores [1, N, 1 + classes], background first. */
export const ssd: Recognise = (outputs): Boxes | undefined => {
  const rows = (output: Output) => (output.dims.length === 3 ? output.dims[1] : 0)
  const boxes = outputs.find(({ dims }) => dims.length === 3 && dims[2] === 4)
  const scores = boxes && outputs.find(other => other !== boxes && rows(other) === rows(boxes) && other.dims[2] > 1)
  if (!scores) return undefined
  const classes = scores.dims[2] - 1
  const all = Array.from({ length: rows(boxes) }, (_, row) => {
    const [left, top, right, bottom] = boxes.data.subarray(row * 4, row * 4 + 4)
    return { left, top, right, bottom, ...best(scores.data, row * (classes + 1) + 1, classes) }
  })
  return { kind: 'boxes', classes, boxes: suppress(all) }
}
