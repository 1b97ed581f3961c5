import { isHalf } from '../../../runtime/base/index.js'
import { add, ceilDiv, type Dim, mul, product, sameShape, show, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { type Choice, type Elements, isConstant, lostAsHalves, type Node, type Value } from '../../graph/index.js'
import { alignedAxis, broadcastShape, keptBatch } from '../broadcast.js'
import { activate } from '../elementwise/activation.js'
import { epilogueOf } from '../elementwise/elementwise.js'
import { finished, panelWidth, residualOf, vectorOf } from '../elementwise/epilogue.js'
import {
  broadcastStrides,
  convBuffers,
  kernel,
  type Lowering,
  loopsOver,
  numbered,
  type Op,
  plainOrder,
  type View
} from '../op.js'

/** y[row] = act(x[row] . w + bias + r[row]); w in panels of 8 columns. Also every 1x1 convolution. */
export const gemmKernel = kernel({
  name: 'gemm',
  fields: {
    rows: 'u32',
    inner: 'u32',
    columns: 'u32',
    xRow: 'u32',
    yRow: 'u32',
    rRow: 'u32',
    residual: 'u32',
    act: 'u32',
    alpha: 'f32',
    beta: 'f32',
    tiles: 'u32'
  },
  buffers: convBuffers,
  reference(p, { x, w, bias, slope, r, y }) {
    for (let row = 0; row < p.rows; row++)
      for (let column = 0; column < p.columns; column++) {
        const panel = Math.floor(column / panelWidth) * p.inner * panelWidth + (column % panelWidth)
        let sum = 0
        for (let k = 0; k < p.inner; k++) sum += x[row * p.xRow + k] * w[panel + k * panelWidth]
        const residual = p.residual ? r[row * p.rRow + column] : 0
        y[row * p.yRow + column] = finished(p, bias[column] + sum, slope[column], residual)
      }
  }
})

/** The same, of rows that the kernel packs first. */
export const gemmPackedKernel = kernel({ ...gemmKernel, name: 'gemmPacked' })

/** As gemm, of weights that are kept as halves; `scratch` holds a panel of them as floats where there are more rows than one. */
export const gemmHalfKernel = kernel({ ...gemmKernel, name: 'gemmHalf' })

const gemms = [gemmKernel, gemmPackedKernel, gemmHalfKernel]

/** y = x . w for two activations, over up to two batch loops; the kernel packs w into panels in its scratch. */
export const matmulKernel = kernel({
  name: 'matmul',
  fields: {
    rows: 'u32',
    inner: 'u32',
    columns: 'u32',
    d0: 'u32',
    d1: 'u32',
    x0: 'u32',
    x1: 'u32',
    w0: 'u32',
    w1: 'u32',
    y0: 'u32',
    y1: 'u32',
    xRow: 'u32',
    wRow: 'u32',
    wColumn: 'u32',
    yRow: 'u32',
    residual: 'u32',
    act: 'u32',
    alpha: 'f32',
    beta: 'f32',
    tiles: 'u32'
  },
  buffers: { x: 'read', w: 'read', y: 'write', scratch: 'scratch' },
  reference(p, { x, w, y }) {
    for (let i = 0; i < p.d0; i++)
      for (let j = 0; j < p.d1; j++)
        for (let row = 0; row < p.rows; row++)
          for (let column = 0; column < p.columns; column++) {
            let sum = 0
            for (let k = 0; k < p.inner; k++)
              sum +=
                x[i * p.x0 + j * p.x1 + row * p.xRow + k] * w[i * p.w0 + j * p.w1 + k * p.wRow + column * p.wColumn]
            y[i * p.y0 + j * p.y1 + row * p.yRow + column] = activate(p.act, sum, p.alpha, p.beta)
          }
  }
})

interface Sizes {
  readonly rows: Dim
  readonly inner: number
  readonly columns: number
  readonly xRow: Dim
  readonly yRow: Dim
  readonly rRow: Dim
}

interface Buffers {
  readonly x: View
  readonly w: View
  readonly bias: View
  readonly slope: View
  readonly r: View
  readonly y: View
}

/** Packing a row is worth this many columns' multiply-accumulates, and the packed kernel takes this share of gemm's. */
const packingCost = 8
const packedShare = 0.9

/** What can multiply `macs / columns` elements of rows with that many columns. */
export function gemmChoices(macs: number, columns: number): Choice[] {
  return [
    { kernel: gemmKernel.name, cost: macs },
    { kernel: gemmPackedKernel.name, cost: macs * (packedShare + packingCost / columns) }
  ]
}

export function emitGemm(node: Node, to: Lowering, sizes: Sizes, buffers: Buffers, chosen = gemmKernel.name): void {
  const tiles = tilesFor(sizes.inner)
  const widened = chosen === gemmHalfKernel.name && sizes.rows !== 1 ? sizes.inner * panelWidth : 0
  const packed = chosen === gemmPackedKernel.name ? 4 * tiles * sizes.inner : 0
  to.call(
    gemms.find(({ name }) => name === chosen)!,
    { ...sizes, residual: residualOf(node), ...epilogueOf(node), tiles },
    { ...buffers, scratch: to.scratch([Math.max(widened + tiles * tileTable, packed)]) }
  )
}

/** Words of a tile's table with one segment (asm/dense/tile.ts). */
const tileTable = 18

/** Tiles of four rows whose inputs stay in the cache while a panel of weights passes over them. */
function tilesFor(inner: Dim): number {
  return typeof inner === 'number' ? Math.min(Math.max(Math.floor(16384 / inner), 4), 64) : 16
}

/** Columns of panels from a matrix [inner, columns] that is read through `at`. */
function packColumns(inner: number, columns: number, at: (k: number, column: number) => number): Elements {
  const packed = new Float32Array(inner * columns)
  let to = 0
  for (let first = 0; first < columns; first += panelWidth)
    for (let k = 0; k < inner; k++)
      for (let column = first; column < Math.min(first + panelWidth, columns); column++) packed[to++] = at(k, column)
  return packed
}

/** Gemm with constant weights: what other Gemms are after the decompose pass. */
const gemm: Op = {
  required: 2,
  infer(node) {
    const [a, b] = node.inputs as Value[]
    if (a.rank !== 2 || b.rank !== 2)
      throw refuse(node, `takes matrices, not ${showShape(a.shape)} and ${showShape(b.shape)}`)
    const [rows, inner] = node.number('transA', 0) ? [a.shape[1], a.shape[0]] : a.shape
    const [k, columns] = node.number('transB', 0) ? [b.shape[1], b.shape[0]] : b.shape
    if (!node.expectEqual(inner, k)) throw refuse(node, `inner sizes ${show(inner)} and ${show(k)} differ`)
    const c = node.inputs[2]
    if (c && !sameShape(broadcastShape(node, [rows, columns], c.shape), [rows, columns]))
      throw refuse(node, `C ${showShape(c.shape)} does not broadcast to ${showShape([rows, columns])}`)
    node.output.dtype = a.dtype
    node.output.shape = [rows, columns]
  },
  layout: 'plain',
  countedAxis: (node, index, axis) => (node.number('transA', 0) ? undefined : keptBatch(node, index, axis)),
  takes(node) {
    const [, b, c] = node.inputs
    const columns = node.output.shape[1]
    const perColumn = (value: Value) => value.data!.length === columns && value.shape[value.rank - 1] === columns
    const plainBias = !c || (isConstant(c) && (c.data.length === 1 || perColumn(c)))
    const unscaled = node.number('alpha', 1) === 1 && node.number('beta', 1) === 1
    return isConstant(b) && !node.number('transA', 0) && plainBias && unscaled
  },
  lower(node, to) {
    const weights = node.inputs[1]!
    if (!isConstant(weights)) throw refuse(node, `weights "${weights.name}" must be a constant`)
    const transB = node.number('transB', 0)
    const [inner, columns] = (transB ? [...weights.shape].reverse() : weights.shape) as number[]
    const { data } = weights
    const packing = { groups: 1, columns, panel: panelWidth }
    const y = to.view(node.output)
    const halves = to.weights === 'f16' && data.every(isHalf) && !lostAsHalves(data)
    const chosen = to.choose(choicesOf(y.shape[0], inner * columns, columns, halves))
    const half = chosen === gemmHalfKernel.name
    const w = to.constant(
      `${weights.name} gemm ${transB}${half ? ' of halves' : ''}`,
      () =>
        packColumns(inner, columns, (k, column) => (transB ? data[column * inner + k] : data[k * columns + column])),
      { ...packing, rows: inner },
      half ? 'f16' : 'f32'
    )
    const bias = vectorOf(node, to, 2, packing)
    const slope = vectorOf(node, to, 3, packing)
    const x = rowsOf(to, node.inputs[0]!)
    const residual = node.inputs[4]
    const r = residual ? to.view(residual) : undefined
    emitGemm(
      node,
      to,
      { rows: y.shape[0], inner, columns, xRow: x.strides[0], yRow: y.strides[0], rRow: r ? r.strides[0] : 0 },
      { x, w, bias, slope, r: r ?? bias, y },
      chosen
    )
  },
  inPlace: [4],
  macs: node => mul(product(node.output.shape), node.inputs[1]!.shape[node.number('transB', 0) ? 1 : 0])
}

/** Weights from which on no cache holds them from one run to the next. */
const uncached = 2 ** 20

/** Fetching a weight of four bytes costs as much as this many multiplications, widening a half as much as one. */
const fetching = 6

/** What can run a Gemm with so many weights; free rows are taken for one. */
function choicesOf(rows: Dim, weights: number, columns: number, halves: boolean): Choice[] {
  const macs = weights * (typeof rows === 'number' ? rows : 1)
  const fetched = weights >= uncached ? weights * fetching : 0
  const [plain, packed] = gemmChoices(macs, columns).map(({ kernel, cost }) => ({ kernel, cost: cost + fetched }))
  const choices = [plain]
  if (typeof rows === 'number' && rows >= fewestPacked) choices.push(packed)
  if (halves) choices.push({ kernel: gemmHalfKernel.name, cost: macs + weights + fetched / 2 })
  return choices
}

/** Rows from which on gemmPacked packs (asm/dense/gemm-packed.ts). */
const fewestPacked = 12

/** A view whose last axis is contiguous. */
function rowsOf(to: Lowering, value: Value): View {
  const view = to.view(value)
  const last = value.rank - 1
  return view.strides[last] === 1 || view.shape[last] === 1 ? view : to.dense(value, plainOrder(value.rank))
}

/**
 * Operands of one axis, a row or a column, are matrices after the decompose pass. Constant weights are taken too, but left to a
 * Gemm, which packs them when compiling.
 */
const matmul: Op = {
  required: 2,
  infer(node) {
    const [a, b] = node.inputs as Value[]
    if (a.rank < 1 || b.rank < 1)
      throw refuse(node, `takes vectors and matrices, not ${showShape(a.shape)} and ${showShape(b.shape)}`)
    const [inner, k] = [a.shape[a.rank - 1], b.shape[Math.max(b.rank - 2, 0)]]
    if (!node.expectEqual(inner, k)) throw refuse(node, `inner sizes ${show(inner)} and ${show(k)} differ`)
    node.output.dtype = a.dtype
    node.output.shape = [
      ...broadcastShape(node, a.shape.slice(0, -2), b.shape.slice(0, -2)),
      ...a.shape.slice(0, -1).slice(-1),
      ...b.shape.slice(1).slice(-1)
    ]
  },
  countedAxis: (node, index, axis) =>
    axis === node.inputs[index]!.rank - 1 - index ? undefined : alignedAxis(node, index, axis),
  layout: 'plain',
  takes(node) {
    const [a, b] = node.inputs as Value[]
    const isGemm = isConstant(b) && b.rank === 2 && !isConstant(a)
    return a.rank > 1 && b.rank > 1 && !isGemm
  },
  lower(node, to) {
    const [a, b] = node.inputs as Value[]
    const y = to.view(node.output)
    const x = rowsOf(to, a)
    const w = to.view(b)
    const batchShape = y.shape.slice(0, -2)
    const rank = y.shape.length
    const operands = [x, w, y].map(view =>
      broadcastStrides({ ...view, shape: [...view.shape.slice(0, -2), 1, 1] }, [...batchShape, 1, 1]).slice(0, -2)
    )
    const loops = loopsOver(batchShape, plainOrder(rank - 2), operands, 2)
    if (!loops) throw refuse(node, `batch axes ${showShape(batchShape)} need more than two loops`)
    const [inner, columns] = [b.shape[b.rank - 2], b.shape[b.rank - 1]]
    const tiles = tilesFor(inner)
    const panels = mul(ceilDiv(columns, panelWidth), panelWidth, inner)
    to.call(
      matmulKernel,
      {
        rows: y.shape[rank - 2],
        inner,
        columns,
        ...numbered('d', loops.sizes),
        ...numbered('x', loops.strides[0]),
        ...numbered('w', loops.strides[1]),
        ...numbered('y', loops.strides[2]),
        xRow: x.strides[a.rank - 2],
        wRow: w.strides[b.rank - 2],
        wColumn: w.strides[b.rank - 1],
        yRow: y.strides[rank - 2],
        residual: 0,
        ...epilogueOf(node),
        tiles
      },
      { x, w, y, scratch: to.scratch([add(panels, panelWidth + tiles * tileTable)]) }
    )
  },
  macs: node => mul(product(node.output.shape), node.inputs[0]!.shape[node.inputs[0]!.rank - 1])
}

export const matrices: Record<string, Op> = { Gemm: gemm, MatMul: matmul }
