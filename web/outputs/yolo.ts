import type { Output } from '../protocol.js'
import type { Box, Boxes, Fed, Recognise } from './output.js'
import { around, best, suppress } from './suppress.js'

const strides = [8, 16, 32]

/**
 * One output [1, N, 5 + classes] of rows (x, y, width, height, object, classes…). With one row a cell of the grids of
 * strides 8, 16 and 32 it is YOLOX's, whose boxes are relative to their cells; with three it is YOLOv5's, in pixels.
 */
export const yolo: Recognise = ([output, ...others], fed): Boxes | undefined => {
  if (others.length || output.dims.length !== 3) return undefined
  const [, rows, columns] = output.dims
  if (columns < 6) return undefined
  const cells = cellsOf(fed)
  if (rows === cells.length) return found(output, columns - 5, row => fromCell(output, row, columns, cells[row], fed))
  if (rows === cells.length * 3) return found(output, columns - 5, row => inPixels(output, row, columns, fed))
  return undefined
}

interface Cell {
  readonly x: number
  readonly y: number
  readonly stride: number
}

function cellsOf({ height, width }: Fed): Cell[] {
  return strides.flatMap(stride => {
    const [high, wide] = [Math.floor(height / stride), Math.floor(width / stride)]
    return Array.from({ length: high * wide }, (_, i) => ({ x: i % wide, y: Math.floor(i / wide), stride }))
  })
}

function found({ dims }: Output, classes: number, boxAt: (row: number) => Box): Boxes {
  return { kind: 'boxes', classes, boxes: suppress(Array.from({ length: dims[1] }, (_, row) => boxAt(row))) }
}

function fromCell({ data }: Output, row: number, columns: number, { x, y, stride }: Cell, { height, width }: Fed): Box {
  const at = row * columns
  const { index, score } = best(data, at + 5, columns - 5)
  const [wide, high] = [Math.exp(data[at + 2]) * stride, Math.exp(data[at + 3]) * stride]
  const centre = [((data[at] + x) * stride) / width, ((data[at + 1] + y) * stride) / height] as const
  return around(...centre, wide / width, high / height, data[at + 4] * score, index)
}

function inPixels({ data }: Output, row: number, columns: number, { height, width }: Fed): Box {
  const at = row * columns
  const { index, score } = best(data, at + 5, columns - 5)
  const [x, y, wide, high] = data.subarray(at, at + 4)
  return around(x / width, y / height, wide / width, high / height, data[at + 4] * score, index)
}
