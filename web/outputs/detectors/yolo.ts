import type { Output } from '../../engine/protocol.js'
import { fitting, namesFor } from '../../model/labels.js'
import type { Box, Boxes, Fed, Point, Recognise, RecogniseOne } from '../output.js'
import { around, best, suppress } from './suppress.js'

/** Pixels of the input between the cells of the grids that a detector looks at. */
const pyramids = [
  [8, 16, 32],
  [4, 8, 16, 32],
  [8, 16, 32, 64],
  [16, 32]
]

/** Coefficients of a segmenting detector's masks, which belong to an output of as many maps. */
const coefficients = 32

/**
 * One output of boxes in front of NonMaxSuppression. Rows [1, N, 5 + C] of (x, y, width, height, object, classes…) are
 * YOLOv5's with three boxes a cell, in pixels, and YOLOX's with one, relative to its cell unless the model decodes them. Columns
 * [1, 4 + C, N] of (x, y, width, height, classes…) are YOLOv8's and its successors', which may go on with landmarks or with
 * coefficients of masks.
 */
export const yolo: Recognise = (outputs, fed) => {
  for (const output of outputs) {
    const found = fed.planes ? detector(output, fed, outputs) : undefined
    if (found) return found
  }
  return undefined
}

interface Grid {
  readonly cells: readonly Cell[]
  /** Boxes that each cell has. */
  readonly each: number
}

interface Cell {
  readonly x: number
  readonly y: number
  readonly stride: number
}

interface Candidates {
  readonly count: number
  readonly columns: number
  at(row: number, column: number): number
}

function detector(output: Output, fed: Fed, outputs: readonly Output[]): ReturnType<RecogniseOne> {
  if (output.dims.length !== 3 || !output.type.startsWith('float')) return undefined
  const [, a, b] = output.dims
  const [columnwise, rowwise] = [gridOf(b, fed), gridOf(a, fed)]
  const turned = a < b && (columnwise !== undefined || /yolo/.test(fed.knowledge.name))
  const grid = turned ? columnwise : rowwise
  if (!turned && !grid) return undefined
  const candidates = turned ? columnsOf(output) : rowsOf(output)
  if (candidates.columns < 5 || candidates.columns > 1024) return undefined
  const sizes = measured(candidates)
  const raw = !turned && grid?.each === 1 && sizes.most < 12 && (sizes.least < -1e-3 || sizes.most > 1.5)
  const hasObject = !turned && (grid?.each === 3 || raw || isRowOfObject(candidates.columns, fed))
  const masked = outputs.some(({ dims }) => dims.length === 4 && dims[1] === coefficients)
  const shape = shapeOf(candidates, hasObject, masked, fed)
  if (shape.classes < 1 || !scoresAreShares(candidates, shape)) return undefined
  const unit = raw || sizes.most > 2 ? { wide: fed.width, high: fed.height } : { wide: 1, high: 1 }
  const boxes = Array.from({ length: candidates.count }, (_, row): Box => {
    const [x, y, wide, high] = [0, 1, 2, 3].map(column => candidates.at(row, column))
    const cell = grid?.cells[row]
    const centre = raw && cell ? [(x + cell.x) * cell.stride, (y + cell.y) * cell.stride] : [x, y]
    const size = raw && cell ? [Math.exp(wide) * cell.stride, Math.exp(high) * cell.stride] : [wide, high]
    const { score, index } = scoreAt(candidates, row, shape)
    const box = around(
      centre[0] / unit.wide,
      centre[1] / unit.high,
      size[0] / unit.wide,
      size[1] / unit.high,
      score,
      index
    )
    return shape.points ? { ...box, points: pointsAt(candidates, row, shape, unit) } : box
  })
  const { classes } = shape
  const found: Boxes = { kind: 'boxes', classes, boxes: suppress(boxes), ...namesFor('boxes', classes, fed) }
  return { ...found, of: [output.name] }
}

function gridOf(count: number, { height, width }: Fed): Grid | undefined {
  for (const strides of pyramids) {
    const cells = strides.reduce((sum, stride) => sum + Math.floor(height / stride) * Math.floor(width / stride), 0)
    if (count === cells || count === cells * 3) return { cells: cellsOf(strides, height, width), each: count / cells }
  }
  return undefined
}

function cellsOf(strides: readonly number[], height: number, width: number): Cell[] {
  return strides.flatMap(stride => {
    const [high, wide] = [Math.floor(height / stride), Math.floor(width / stride)]
    return Array.from({ length: high * wide }, (_, i) => ({ x: i % wide, y: Math.floor(i / wide), stride }))
  })
}

function rowsOf({ dims: [, count, columns], data }: Output): Candidates {
  return { count, columns, at: (row, column) => data[row * columns + column] }
}

function columnsOf({ dims: [, columns, count], data }: Output): Candidates {
  return { count, columns, at: (row, column) => data[column * count + row] }
}

/** Of widths and heights: logarithms are small and of both signs, pixels are large, shares from 0 to 1. */
function measured({ count, at }: Candidates): { least: number; most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let row = 0; row < count; row++)
    for (const column of [2, 3]) {
      least = Math.min(least, at(row, column))
      most = Math.max(most, at(row, column))
    }
  return { least, most }
}

/** Rows of decoded boxes: what is known of the classes tells whether a column says "object". */
function isRowOfObject(columns: number, { knowledge: { own, inFile, name } }: Fed): boolean {
  const lists = [own, inFile].filter(list => list !== undefined)
  const isKnown = (classes: number) => classes === 80 || fitting(classes, lists) !== undefined
  if (isKnown(columns - 5) !== isKnown(columns - 4)) return isKnown(columns - 5)
  return !/yolo(v|-?)(8|9|1\d|2\d)/.test(name)
}

interface Shape {
  /** The column that says whether there is an object at all. */
  readonly object: number | undefined
  readonly first: number
  readonly classes: number
  /** The first column of the landmarks and how many numbers each has. */
  readonly points?: { readonly first: number; readonly each: 2 | 3; readonly count: number }
}

function shapeOf(candidates: Candidates, hasObject: boolean, masked: boolean, fed: Fed): Shape {
  const first = hasObject ? 5 : 4
  const object = hasObject ? 4 : undefined
  const classes = candidates.columns - first - (masked ? coefficients : 0)
  const plain = { object, first, classes }
  const beyond = (column: number) => Array.from({ length: candidates.count }, (_, row) => candidates.at(row, column))
  // One class, and behind it places in pixels.
  const isPlace = classes > 6 && beyond(first + 1).some(value => Math.abs(value) > 1.5)
  if (!isPlace || masked) return plain
  const each = (classes - 1) % 3 === 0 && areShares(beyond(first + 3)) ? 3 : (classes - 1) % 2 === 0 ? 2 : undefined
  if (!each || fitting(classes, fed.knowledge.own ? [fed.knowledge.own] : [])) return plain
  return { ...plain, classes: 1, points: { first: first + 1, each, count: (classes - 1) / each } }
}

const areShares = (values: readonly number[]) => values.every(value => value >= -1e-3 && value <= 1.001)

function scoresAreShares({ count, at }: Candidates, { object, first, classes }: Shape): boolean {
  const columns = [...(object === undefined ? [] : [object]), ...Array.from({ length: classes }, (_, i) => first + i)]
  for (let row = 0; row < count; row++)
    for (const column of columns) if (!(at(row, column) >= -1e-3 && at(row, column) <= 1.001)) return false
  return true
}

function scoreAt({ at }: Candidates, row: number, { object, first, classes }: Shape): Pick<Box, 'score' | 'index'> {
  const scores = Float32Array.from({ length: classes }, (_, i) => at(row, first + i))
  const { index, score } = best(scores, 0, classes)
  return { index, score: object === undefined ? score : score * at(row, object) }
}

function pointsAt(
  { at }: Candidates,
  row: number,
  { points }: Shape,
  unit: { readonly wide: number; readonly high: number }
): Point[] {
  const { first, each, count } = points!
  const seen = Array.from({ length: count }, (_, i) => first + i * each)
  return seen
    .filter(column => each === 2 || at(row, column + 2) > 0.5)
    .map(column => ({ x: at(row, column) / unit.wide, y: at(row, column + 1) / unit.high }))
}
