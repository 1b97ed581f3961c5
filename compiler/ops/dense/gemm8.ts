import { type Dim, mul, product } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { panelWidth } from '../elementwise/epilogue.js'
import { perFilter, requantised, requantiseFields, requantiseOf } from '../elementwise/requantise.js'
import { kernel, type Lowering, type Op, plainOrder, type View } from '../op.js'

/**
 * Products of bytes with whole numbers from -128 to 127. Sums are exact in 32 bits, whichever instruction an engine has for them.
 */

/** Neighbouring elements that one lane multiplies; what is missing to a multiple is 0. */
export const depth = 4

/** Rows of a tile, and bytes of its table of where they begin. */
export const tileRows = 6
export const tileBytes = 4 * tileRows

/** Bytes behind copied rows that their last vector may take. */
export const behind = 16

/** Longer sums could leave 32 bits. */
export const longestSum = 2 ** 16

export const product8Buffers = {
  x: 'read',
  w: 'read',
  sums: 'read',
  scale: 'read',
  bias: 'read',
  y: 'write',
  scratch: 'scratch'
} as const

/**
 * y[row] = requantise((x[row] - xZero) . w), rows of bytes. Weights lie in panels of 8 columns; within a panel by groups of 4 rows,
 * within a group by column. `sums` holds each column's sum of weights.
 */
export const gemm8Kernel = kernel({
  name: 'gemm8',
  fields: {
    rows: 'u32',
    inner: 'u32',
    columns: 'u32',
    xRow: 'u32',
    yRow: 'u32',
    xZero: 'u32',
    ...requantiseFields,
    tiles: 'u32'
  },
  buffers: product8Buffers,
  reference(p, { x, w, scale, bias, y }) {
    const padded = Math.ceil(p.inner / depth) * depth
    for (let row = 0; row < p.rows; row++)
      for (let column = 0; column < p.columns; column++) {
        let sum = 0
        for (let k = 0; k < p.inner; k++) sum += (x[row * p.xRow + k] - p.xZero) * w[weightAt(padded, column, k)]
        y[row * p.yRow + column] = requantised(sum, scale[column], bias[column], p)
      }
  }
})

/** Where the weight of a column and a row lies among panels of `padded` rows. */
export function weightAt(padded: number, column: number, k: number): number {
  const panel = Math.floor(column / panelWidth) * padded * panelWidth
  return panel + (Math.floor(k / depth) * panelWidth + (column % panelWidth)) * depth + (k % depth)
}

/** The sums of weights by column, of `panels` panels of `groups` groups. */
export const sums8Kernel = kernel({
  name: 'sums8',
  fields: { panels: 'u32', groups: 'u32' },
  buffers: { w: 'read', y: 'write' },
  reference(p, { w, y }) {
    for (let column = 0; column < p.panels * panelWidth; column++) {
      let sum = 0
      for (let k = 0; k < p.groups * depth; k++) sum += w[weightAt(p.groups * depth, column, k)]
      y[column] = sum
    }
  }
})

/** The sums of packed weights, made when a model is loaded. */
export function sumsOf(to: Lowering, key: string, w: View, panels: number, padded: number): View {
  return to.derived(`${key} sums`, panels * panelWidth, y =>
    to.call(sums8Kernel, { panels, groups: padded / depth }, { w, y })
  )
}

/** Bytes of a panel that is widened to 16 bits, as it is where the engine has no product of bytes. */
export const widePanel = (padded: number) => 2 * panelWidth * padded

/** Tiles at least that a widened panel passes. */
const leastTiles = 4

/** Tiles whose rows stay in the nearest cache while the panels pass, and the scratch that they take in floats (asm/dense/gemm8.ts). */
function tilesFor(padded: number): { tiles: number; floats: number } {
  const tiles = Math.min(Math.max(Math.floor(2 ** 14 / (tileRows * padded)), 1), 16)
  const most = Math.max(tiles, leastTiles)
  const bytes = 4 + most * (tileBytes + 2 * tileRows * padded) + widePanel(padded) + behind
  return { tiles, floats: Math.ceil(bytes / 4) }
}

/** Inputs of a layer of bytes: x, weights as whole numbers, the scale of each filter's sums, and a bias in steps of the result. */
export const layerInputs = { x: 0, weights: 1, scale: 2, bias: 3 } as const

/** Weights in panels, under the name that they have for all layers which read them. */
export function packedMatrix(to: Lowering, weights: Value, transB: number) {
  const [inner, columns] = (transB ? [...weights.shape].reverse() : weights.shape) as number[]
  const data = weights.data!
  const padded = Math.ceil(inner / depth) * depth
  const key = `${weights.name} gemm8 ${transB}`
  const pack = () => {
    const packed = new Float32Array(padded * Math.ceil(columns / panelWidth) * panelWidth)
    for (let column = 0; column < columns; column++)
      for (let k = 0; k < inner; k++)
        packed[weightAt(padded, column, k)] = transB ? data[column * inner + k] : data[k * columns + column]
    return packed
  }
  return { key, w: to.constant(key, pack, undefined, 'i8'), padded, inner, columns }
}

/** A matrix product as the quantise pass makes it; weights are [inner, columns], or the other way round with transB. */
export const gemm8: Op = {
  required: 4,
  infer(node) {
    const [x, w] = node.inputs as Value[]
    node.output.dtype = 'uint8'
    node.output.narrow = true
    node.output.shape = [x.shape[0], w.shape[node.number('transB', 0) ? 0 : 1]]
  },
  layout: 'plain',
  lower(node, to) {
    const [value, weights, scale, bias] = node.inputs as Value[]
    const { key, w, inner, columns } = packedMatrix(to, weights, node.number('transB', 0))
    const x = to.dense(value, plainOrder(2))
    const y = to.view(node.output)
    emitGemm8(node, to, { rows: y.shape[0], inner, columns, xRow: x.strides[0], yRow: y.strides[0] }, key, {
      ...{ x, w, y },
      scale: perFilter(to, scale, 1, columns),
      bias: perFilter(to, bias, 1, columns)
    })
  },
  macs: node => mul(product(node.output.shape), node.inputs[1]!.shape[node.number('transB', 0) ? 1 : 0])
}

export function emitGemm8(
  node: Node,
  to: Lowering,
  sizes: { rows: Dim; inner: number; columns: number; xRow: Dim; yRow: Dim },
  key: string,
  buffers: Readonly<Record<'x' | 'w' | 'scale' | 'bias' | 'y', View>>
): void {
  if (sizes.inner > longestSum) throw refuse(node, `sums ${sizes.inner} products; ${longestSum} are allowed`)
  const padded = Math.ceil(sizes.inner / depth) * depth
  const { tiles, floats } = tilesFor(padded)
  to.call(
    gemm8Kernel,
    { ...sizes, xZero: node.number('xZero', 0), ...requantiseOf(node), tiles },
    {
      ...buffers,
      sums: sumsOf(to, key, buffers.w, Math.ceil(sizes.columns / panelWidth), padded),
      scratch: to.scratch([floats])
    }
  )
}
