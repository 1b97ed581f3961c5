import type { GpuDispatch } from '../../runtime/index.js'
import { ceil, constant, type Model, type P, prelu, product, quads, reached, type Widths, widthAt } from './model.js'
import { type Axis, axisOf, columnsOf, inside, landing, linesOf, spanned, touched } from './windows.js'

/**
 * Behind a sum: bias and slopes for each of `readers` rows, residual in, the output out. Rows read four columns at a time, however many
 * they have.
 */
function epilogue(p: P, rows: number, columns: number, parts: number, { element }: Widths, readers = rows) {
  const operands = constant * (p.act === prelu ? 2 : 1)
  const residual = p.residual ? element : 0
  const read = quads(columns) * parts * (readers * operands + rows * residual)
  const stored = rows * columns * parts * element
  return { moved: read + stored, least: columns * parts * operands + rows * columns * parts * residual + stored }
}

const axesOf = (p: P): Axis[] =>
  ['D', 'H', 'W'].map(axis => axisOf(['in', 'out', 'kernel', 'stride', 'dilation', 'pad'].map(name => p[name + axis])))

/** Rows and columns of tiles, from the dispatch's workgroups, and rows of invocations in them. */
function tilesOf({ groups: [rows, columns], constants, entry }: GpuDispatch) {
  const threads = entry === 'laneProduct' ? laneThreads : (constants?.THREADS_Y ?? 1)
  return { rows, columns, readers: rows * threads }
}

/** What is behind the sums of a product: shares of them where they are divided, which take a pair of halves. */
function behind(p: P, dispatch: GpuDispatch, rows: number, columns: number, parts: number, widths: Widths) {
  const { readers } = tilesOf(dispatch)
  const split = dispatch.entry === 'product' ? dispatch.groups[2] / parts : 1
  if (split === 1) return epilogue(p, rows, columns, parts, widths, readers)
  return { moved: sharesOf(split, rows, columns, parts), least: 0 }
}

const sharesOf = (split: number, rows: number, columns: number, parts: number) =>
  4 * split * rows * quads(columns) * parts

/** Invocations of a workgroup of laneProduct (shaders/dense/product.wgsl), each with rows of its own. */
const laneThreads = 16

/** Rows of an invocation that joins shares (shaders/dense/product.wgsl). */
const joined = 4

/** Adds up shares and finishes their sums. They are no input or output of the layer, and count among what it moves alone. */
export const joinSums: Model = (p, { files, groups }, widths) => {
  const image = files.includes('conv')
  const rows = image ? product(p.batch, p.outD, p.outH, p.outW) : p.rows
  const columns = image ? p.filters : p.columns
  const parts = image ? p.groups : files.includes('matmul') ? p.d0 * p.d1 : 1
  const end = files.includes('epilogue')
    ? epilogue(p, rows, columns, parts, widths, ceil(rows, joined))
    : plainStore(rows, columns, parts, widths)
  return { moved: sharesOf(groups[1], rows, columns, parts) + end.moved, least: end.least }
}

function plainStore(rows: number, columns: number, parts: number, { element }: Widths) {
  const stored = rows * columns * parts * element
  return { moved: stored, least: stored }
}

/** What all convolutions have in common, in elements. */
function windows(p: P) {
  const axes = axesOf(p)
  const taps = product(p.kernelD, p.kernelH, p.kernelW)
  const pixels = product(p.batch, p.outD, p.outH, p.outW)
  return {
    pixels,
    taps,
    /** Input pixels that all windows together take in, and different ones. */
    seen: p.batch * product(...axes.map(inside)),
    different: p.batch * product(...axes.map(touched)),
    macs: pixels * taps * p.channels * p.filters * p.groups,
    weights: taps * p.channels * p.filters * p.groups
  }
}

export const conv: Model = (p, dispatch, widths) => {
  const { element, operand } = widths
  const { pixels, taps, seen, different, macs, weights } = windows(p)
  const tiles = tilesOf(dispatch)
  const end = behind(p, dispatch, pixels, p.filters, p.groups, widths)
  const rows = seen * p.channels * p.groups * element
  const columns = taps * p.channels * quads(p.filters) * p.groups * operand
  return {
    moved: rows * tiles.columns + columns * tiles.rows + end.moved,
    least: different * p.channels * p.groups * element + weights * operand + end.least,
    macs,
    done: macs
  }
}

export const convTranspose: Model = (p, _, widths) => {
  const { element, operand } = widths
  const axes = axesOf(p)
  const pixels = product(p.batch, p.outD, p.outH, p.outW)
  const landed = p.batch * product(...axes.map(axis => landing(axis).pairs))
  const different = p.batch * product(...axes.map(axis => landing(axis).positions))
  const end = epilogue(p, pixels, p.filters, p.groups, widths)
  const macs = landed * p.channels * p.filters * p.groups
  const weights = product(p.kernelD, p.kernelH, p.kernelW, p.channels, p.filters, p.groups)
  return {
    moved: landed * p.groups * ceil(p.filters, 4) * p.channels * (element + 4 * operand) + end.moved,
    least: different * p.channels * p.groups * element + weights * operand + end.least,
    macs,
    done: macs
  }
}

/**
 * Four channels of four columns and one or two rows: what the windows of these take in is loaded once. Weights come once to a
 * workgroup that keeps them, else for each row of each invocation.
 */
export const windowed: Model = (p, { constants, groups }, widths) => {
  const { element, operand } = widths
  const { ROWS, QUADS, KEPT } = constants as P
  const [d, h, w] = axesOf(p)
  const lines = p.batch * inside(d)
  const blocks = product(p.batch, p.outD, ceil(p.outH, ROWS), ceil(p.outW, 4))
  const filters = quads(p.groups)
  const loaded = lines * linesOf(h, ROWS) * columnsOf(w) * filters
  const factors = KEPT
    ? product(...groups) * KEPT * QUADS * 4
    : lines * inside(h) * p.kernelW * ceil(p.outW, 4) * filters
  const pixels = product(p.batch, p.outD, p.outH, p.outW)
  const end = epilogue(p, pixels, p.groups, 1, widths, blocks)
  const macs = pixels * p.groups * product(p.kernelD, p.kernelH, p.kernelW)
  const different = p.batch * product(...axesOf(p).map(touched)) * p.groups
  return {
    moved: loaded * element + factors * operand + end.moved,
    least: different * element + product(p.kernelD, p.kernelH, p.kernelW, p.groups) * operand + end.least,
    macs,
    done: macs
  }
}

/** A workgroup loads the patch of its pixels once for all filters that it makes, and its weights once for all pixels. */
export const patches: Model = (p, { constants, groups }, widths) => {
  const { element, operand } = widths
  const { TALL, QUADS, ROWS } = constants as P
  const { pixels, taps, different, macs, weights } = windows(p)
  const [, h, w] = axesOf(p)
  const quadsOfGroup = ceil(p.filters, 4)
  const loaded = p.batch * spanned(h, TALL) * spanned(w, wide) * p.channels
  // Workgroups that have quads of a group, which all of them load for themselves.
  const shares = p.groups === 1 ? ceil(quadsOfGroup, QUADS) : p.groups
  const factors = groups[0] * taps * p.channels * quads(p.filters) * p.groups
  const readers = (groups[0] * TALL * wide) / ROWS
  const end = epilogue(p, pixels, p.filters, p.groups, widths, readers)
  return {
    moved: loaded * shares * element + factors * operand + end.moved,
    least: different * p.channels * p.groups * element + weights * operand + end.least,
    macs,
    done: macs
  }
}

/** Columns of pixels of a patch (shaders/conv/patches.wgsl). */
const wide = 8

/** Bytes of factors that invocations load: four for all their rows of a step of 16. */
function gatesOf(p: P, { constants, groups: [down, across] }: GpuDispatch, width: number): number {
  const each = product(constants?.THREADS_X ?? 1, constants?.THREADS_Y ?? 1)
  return down * across * each * ceil(p.inner, 16) * 4 * width
}

export const gemm: Model = (p, dispatch, widths) => {
  const { element, operand } = widths
  const loadedAs = dispatch.constants?.LOADED_AS ?? 0
  // Of a channel: nothing, a factor that a call has made, or two constants.
  const factors = loadedAs > 1 ? 2 * constant : loadedAs * element
  const tiles = tilesOf(dispatch)
  const end = behind(p, dispatch, p.rows, p.columns, 1, widths)
  const macs = p.rows * p.inner * p.columns
  return {
    moved:
      p.rows * p.inner * tiles.columns * element +
      p.inner * quads(p.columns) * tiles.rows * operand +
      gatesOf(p, dispatch, factors) +
      end.moved,
    least: p.inner * (p.rows * element + factors) + p.inner * p.columns * operand + end.least,
    macs,
    done: macs
  }
}

/** A workgroup for each panel of eight columns of each row. */
export const rowTimesPanel: Model = (p, dispatch, widths) => {
  const { element, operand } = widths
  const panels = dispatch.groups[0]
  const whole = gemm(p, dispatch, widths)
  const end = epilogue(p, p.rows, p.columns, 1, widths)
  return { ...whole, moved: p.rows * panels * p.inner * (element + 8 * operand) + end.moved }
}

export const matmul: Model = (p, dispatch, widths) => {
  const tiles = tilesOf(dispatch)
  const [x, w] = [widthAt(p, 'x', widths), widthAt(p, 'w', widths)]
  const loops = [p.d0, p.d1]
  const parts = p.d0 * p.d1
  const end =
    dispatch.groups[2] === parts
      ? plainStore(p.rows, p.columns, parts, widths)
      : behind(p, dispatch, p.rows, p.columns, parts, widths)
  const macs = p.rows * p.inner * p.columns * parts
  return {
    moved: parts * (p.rows * p.inner * tiles.columns * x + p.inner * quads(p.columns) * tiles.rows * w) + end.moved,
    least:
      reached(loops, [p.x0, p.x1]) * p.rows * p.inner * x +
      reached(loops, [p.w0, p.w1]) * p.inner * p.columns * w +
      end.least,
    macs,
    done: macs
  }
}

/** Tiles of 4 x 4 outputs with 3 x 3 taps, each of 36 points. */
function winogradOf(p: P) {
  const [M, K] = [4, 3]
  const axes = ['H', 'W'].map(axis =>
    axisOf([p[`in${axis}`], ceil(p[`out${axis}`], M), M + K - 1, M, 1, p[`pad${axis}`]])
  )
  const points = (M + K - 1) ** 2
  const tiles = product(p.batch, ...axes.map(({ out }) => out))
  return { K, axes, points, tiles }
}

export const scatterInputs: Model = (p, _dispatch, { element }) => {
  const { axes, points, tiles } = winogradOf(p)
  const stored = tiles * points
  return {
    moved: (p.batch * product(...axes.map(inside)) + stored) * p.channels * element,
    least: (p.batch * product(...axes.map(touched)) + stored) * p.channels * element
  }
}

export const winogradProduct: Model = (p, dispatch, { element, operand }) => {
  const { K, points, tiles } = winogradOf(p)
  const { rows, columns } = tilesOf(dispatch)
  const stored = tiles * p.filters * element
  return {
    moved: points * (tiles * p.channels * element * columns + p.channels * quads(p.filters) * operand * rows + stored),
    least: points * (tiles * p.channels * element + p.channels * p.filters * operand + stored),
    macs: product(p.batch, p.outH, p.outW, K, K, p.channels, p.filters),
    done: points * tiles * p.channels * p.filters
  }
}

export const gatherOutputs: Model = (p, _dispatch, { element }) => {
  const { points, tiles } = winogradOf(p)
  const operands = constant * (p.act === prelu ? 2 : 1)
  const outputs = product(p.batch, p.outH, p.outW, p.filters) * element * (p.residual ? 2 : 1)
  const products = tiles * points * p.filters * element
  return { moved: products + tiles * p.filters * operands + outputs, least: products + p.filters * operands + outputs }
}
