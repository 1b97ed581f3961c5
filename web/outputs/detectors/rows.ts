import type { Output } from '../../engine/protocol.js'
import { namesUpTo } from '../../model/labels.js'
import { type Box, type Fed, floor, type Recognise } from '../output.js'

/** Where a row has what. */
interface Layout {
  readonly columns: number
  readonly batch?: number
  /** The first of left, top, right, bottom. */
  readonly box: number
  readonly label?: number
  readonly score: number
}

/** What is written behind NonMaxSuppression; the first that all rows fit counts. */
const layouts: readonly Layout[] = [
  // YOLOv7's end to end
  { columns: 7, batch: 0, box: 1, label: 5, score: 6 },
  { columns: 7, batch: 0, box: 1, label: 6, score: 5 },
  // DetectionOutput of Caffe and OpenVINO
  { columns: 7, batch: 0, box: 3, label: 1, score: 2 },
  // Ultralytics with nms=True, YOLOv10
  { columns: 6, box: 0, label: 5, score: 4 },
  { columns: 6, box: 0, label: 4, score: 5 },
  // PaddleDetection
  { columns: 6, box: 2, label: 0, score: 1 },
  // mmdetection, whose classes are another output; faces
  { columns: 5, box: 0, score: 4 }
]

/** One output [N, 6], [1, N, 6], [N, 7] … with a row for each box that is left. */
export const rows: Recognise = (outputs, fed) => {
  for (const output of outputs) {
    const columns = output.dims.at(-1)!
    const count = output.dims.reduce((a, b) => a * b, 1) / columns
    const flat = output.dims.length > 1 && output.dims.length < 5 && output.dims.slice(0, -2).every(size => size === 1)
    if (!fed.planes || !flat || !output.type.startsWith('float') || columns < 5 || columns > 7) continue
    if (columns === 5 && (output.dims.length < 3 || count === 1)) continue
    const labels = columns === 5 ? outputs.find(other => other !== output && isLabels(other, count)) : undefined
    const boxes = layouts
      .filter(layout => layout.columns === columns)
      .map(layout => boxesAt(output, layout, count, labels, fed))
      .find(found => found !== undefined)
    if (boxes) {
      const of = [output.name, ...(labels ? [labels.name] : [])]
      const highest = boxes.reduce((most, { index }) => Math.max(most, index), 0)
      return { kind: 'boxes', of, classes: undefined, boxes, ...namesUpTo(highest, fed) }
    }
  }
  return undefined
}

const isLabels = ({ type, data }: Output, count: number) => /int/.test(type) && data.length === count

/** Nothing where some row does not fit. Rows of zeros or of -1 are there to fill the output up. */
function boxesAt(
  { data }: Output,
  { columns, batch, box, label, score }: Layout,
  count: number,
  labels: Output | undefined,
  fed: Fed
): Box[] | undefined {
  const all = Array.from({ length: count }, (_, row) => data.subarray(row * columns, (row + 1) * columns))
  const isClass = (value: number) => Number.isInteger(value) && value >= 0 && value < 1e5
  const isFiller = (row: Float32Array) => row.every(value => value === 0 || value === -1)
  const used = all.map((row, at) => ({ row, at })).filter(({ row }) => !isFiller(row))
  const fits = ({ row }: { row: Float32Array }) =>
    row[score] >= 0 &&
    row[score] <= 1.0001 &&
    (label === undefined || isClass(row[label])) &&
    (batch === undefined || isClass(row[batch])) &&
    row[box + 2] >= row[box] &&
    row[box + 3] >= row[box + 1] &&
    (row[score] === 0 || (row[box + 2] - row[box]) * (row[box + 3] - row[box + 1]) > 0)
  const unit = unitOf(
    used.flatMap(({ row }) => [[row[box], row[box + 1], row[box + 2], row[box + 3]] as const]),
    fed
  )
  if (!unit || !used.every(fits)) return undefined
  return used
    .filter(({ row }) => batch === undefined || row[batch] === 0)
    .filter(({ row }) => row[score] >= floor)
    .map(({ row, at }) => ({
      left: row[box] / unit.wide,
      top: row[box + 1] / unit.high,
      right: row[box + 2] / unit.wide,
      bottom: row[box + 3] / unit.high,
      score: row[score],
      index: label !== undefined ? row[label] : (labels?.data[at] ?? 0)
    }))
    .sort((a, b) => b.score - a.score)
}

export type Corners = readonly [left: number, top: number, right: number, bottom: number]

/** Pixels or shares of the input, whichever the corners can be; nothing where most lie far off the picture. */
export function unitOf(
  corners: readonly Corners[],
  { width, height }: Fed
): { wide: number; high: number } | undefined {
  const shares = corners.every(corner => corner.every(value => Math.abs(value) <= 2))
  const [wide, high] = shares ? [1, 1] : [width, height]
  const near = (value: number, side: number) => value >= -0.5 * side && value <= 1.5 * side
  const inside = corners.filter(([l, t, r, b]) => near(l, wide) && near(r, wide) && near(t, high) && near(b, high))
  return inside.length >= 0.9 * corners.length ? { wide, high } : undefined
}
