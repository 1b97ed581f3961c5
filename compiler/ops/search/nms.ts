import { type Dim, min, mul } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { isConstant, type Node, type Value } from '../../graph/index.js'
import { describe, kernel, numbersOf, type Op } from '../op.js'

/**
 * Boxes of each class, best score first, of which none overlaps a better one by more than `overlap` of what both cover.
 * `lines` are the classes of all images; each has room for `most` in `picked`, and its number in `counts`. Corners come
 * in any order, or (`centered`) centre and size. The CPU keeps a class's candidates in `scratch`.
 */
export const nmsKernel = kernel({
  name: 'nms',
  fields: {
    lines: 'u32',
    classes: 'u32',
    boxes: 'u32',
    most: 'u32',
    centered: 'u32',
    limited: 'u32',
    overlap: 'f32',
    limit: 'f32'
  },
  buffers: { corners: 'read', scores: 'read', picked: 'write', counts: 'write', scratch: 'scratch' },
  reference(p, { corners, scores, picked, counts }) {
    for (let line = 0; line < p.lines; line++) {
      const image = Math.floor(line / p.classes) * p.boxes
      const score = (box: number) => scores[line * p.boxes + box]
      const extent = (box: number) => extentOf(corners.subarray((image + box) * 4), p.centered)
      const wanted = (box: number) => (p.limited ? score(box) > p.limit : !Number.isNaN(score(box)))
      const order = Array.from({ length: p.boxes }, (_, box) => box).filter(wanted)
      order.sort((a, b) => (score(a) === score(b) ? a - b : score(b) - score(a)))
      const kept: number[] = []
      for (const box of order) {
        if (kept.length === p.most) break
        if (kept.every(better => overlapOf(extent(box), extent(better)) <= p.overlap)) kept.push(box)
      }
      picked.set(kept, line * p.most)
      counts[line] = kept.length
    }
  }
})

/** Image, class and box of all that are picked, behind each other; zeros behind them. */
export const nmsRowsKernel = kernel({
  name: 'nmsRows',
  fields: { lines: 'u32', classes: 'u32', most: 'u32' },
  buffers: { picked: 'read', counts: 'read', y: 'write', count: 'write' },
  reference(p, { picked, counts, y, count }) {
    let rows = 0
    for (let line = 0; line < p.lines; line++)
      for (let i = 0; i < Math.min(counts[line], p.most); i++)
        y.set([Math.floor(line / p.classes), line % p.classes, picked[line * p.most + i]], 3 * rows++)
    y.fill(0, 3 * rows, 3 * p.lines * p.most)
    count[0] = rows
  }
})

type Extent = readonly [low0: number, low1: number, high0: number, high1: number]

function extentOf([a, b, c, d]: Float64Array, centered: number): Extent {
  if (centered) return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]
}

const areaOf = ([low0, low1, high0, high1]: Extent) => (high0 - low0) * (high1 - low1)

/** The common part of two boxes as a share of what both cover; 0 where one has no area. */
function overlapOf(a: Extent, b: Extent): number {
  const common: Extent = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]
  if (!(common[2] > common[0] && common[3] > common[1])) return 0
  const shared = areaOf(common)
  const all = areaOf(a) + areaOf(b) - shared
  return areaOf(a) > 0 && areaOf(b) > 0 && all > 0 ? shared / all : 0
}

/** Exporters write "all" as the largest integer of some width. */
const farAway = 2 ** 30

interface Settings {
  /** Boxes that a class may have. */
  readonly most: Dim
  readonly overlap: number
  readonly limit: number | undefined
}

function settingsOf(node: Node): Settings {
  const number = (index: number, name: string): number | undefined => {
    const input = node.inputs[index]
    if (!input) return undefined
    if (isConstant(input)) return input.data[0]
    throw refuse(node, `${name} "${input.name}" must be a constant`)
  }
  const most = numbersOf(node, 2, 'max_output_boxes_per_class')?.[0] ?? 0
  const overlap = number(3, 'iou_threshold') ?? 0
  if (!(overlap >= 0 && overlap <= 1)) throw refuse(node, `iou_threshold is ${overlap}; 0 to 1 are allowed`)
  return {
    most: min(Math.min(Math.max(most, 0), farAway), node.inputs[0]!.shape[1]),
    overlap,
    limit: number(4, 'score_threshold')
  }
}

/** Behind its own output ONNX's has another, of how many rows there are. */
const nonMaxSuppression: Op = {
  gives: 2,
  required: 2,
  infer(node) {
    const [boxes, scores] = node.inputs as Value[]
    const [rows, count] = node.outputs
    const fits =
      boxes.rank === 3 &&
      scores.rank === 3 &&
      boxes.shape[2] === 4 &&
      node.expectEqual(boxes.shape[0], scores.shape[0]) &&
      node.expectEqual(boxes.shape[1], scores.shape[2])
    if (!fits)
      throw refuse(
        node,
        `takes boxes [N×boxes×4] and scores [N×classes×boxes], not ${describe(boxes)}, ${describe(scores)}`
      )
    const { most } = settingsOf(node)
    for (const output of node.outputs) output.dtype = 'int64'
    rows.shape = [mul(scores.shape[0], scores.shape[1], most), 3]
    rows.counted = { axis: 0, by: count }
  },
  behind: (_, index, axis) =>
    index === 0 && axis === 1 ? 'anything' : index === 1 && axis === 2 ? Number.NEGATIVE_INFINITY : undefined,
  layout: 'plain',
  writesDense: true,
  lower(node, to) {
    const [corners, scores] = node.inputs.slice(0, 2).map(input => to.dense(input!))
    const { most, overlap, limit } = settingsOf(node)
    const [images, classes, boxes] = scores.shape
    const lines = mul(images, classes)
    const picked = to.scratch([lines, most])
    const counts = to.scratch([lines])
    to.call(
      nmsKernel,
      {
        lines,
        classes,
        boxes,
        most,
        centered: node.number('center_point_box', 0),
        limited: 1,
        overlap,
        limit: limit ?? Number.NEGATIVE_INFINITY
      },
      { corners, scores, picked, counts, scratch: to.scratch([boxes]) }
    )
    const [y, count] = node.outputs.map(output => to.view(output))
    to.call(nmsRowsKernel, { lines, classes, most }, { picked, counts, y, count })
  }
}

export const suppression: Record<string, Op> = { NonMaxSuppression: nonMaxSuppression }
