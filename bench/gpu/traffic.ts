import type { GpuDispatch } from '../../runtime/index.js'
import { type Axis, axisOf, columnsOf, inside, landing, linesOf, touched } from './windows.js'

/**
 * What a dispatch moves, by the loads and stores of its shader: bytes that its invocations ask the buffers for. What goes
 * through workgroup memory counts once for each workgroup that brings it there, so a tiled product reads its rows once
 * for each tile of columns, and its weights once for each tile of rows. How much of that the caches answer is the device's
 * affair; `least` is what even perfect caches leave: each input element once, each output element once.
 *
 * Left out: uniforms; the last row of a product, which is read again for what its last tile has too many.
 */
export interface Traffic {
  readonly moved: number
  readonly least: number
  /** Multiply-accumulates of the operator; those of a Winograd convolution belong to its products. */
  readonly macs: number
  /** Multiply-accumulates that are done: fewer than `macs` for Winograd. */
  readonly done: number
}

type P = Readonly<Record<string, number>>

/** Bytes of an element: in the arena, of the weights, of any other constant. */
interface Widths {
  readonly element: number
  readonly operand: number
}
const constant = 4

type Model = (p: P, dispatch: GpuDispatch, widths: Widths) => Partial<Traffic> & Pick<Traffic, 'moved' | 'least'>

/** Marks the addresses of constants where a shader takes either (shaders/weights.wgsl), and kinds that its text names. */
const constantBit = 2 ** 31
const prelu = 3
const logOfSumOfExp = 9

const ceil = (count: number, size: number) => Math.ceil(count / size)
const quads = (count: number) => ceil(count, 4) * 4
const product = (...sizes: number[]) => sizes.reduce((a, b) => a * b, 1)
const named = (p: P, prefix: string, count: number) => Array.from({ length: count }, (_, i) => p[`${prefix}${i}`])

/** The width of a buffer that may be constants or activations. */
const widthAt = (p: P, name: string, { element }: Widths) => (p[`${name}At`] >= constantBit ? constant : element)

/** Elements that loops with these steps reach, where a step of 0 stays. */
const reached = (sizes: readonly number[], steps: readonly number[]) =>
  product(...sizes.filter((_, i) => steps[i] !== 0))

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
function tilesOf({ groups: [rows, columns], constants }: GpuDispatch) {
  return { rows, columns, readers: rows * (constants?.THREADS_Y ?? 1) }
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

/** Adds up shares and finishes their sums. They are no input or output of the layer, and count among what it moves alone. */
const joinSums: Model = (p, { files, groups }, widths) => {
  const image = files.includes('conv')
  const rows = image ? product(p.batch, p.outD, p.outH, p.outW) : p.rows
  const columns = image ? p.filters : p.columns
  const parts = image ? p.groups : files.includes('matmul') ? p.d0 * p.d1 : 1
  const end = files.includes('epilogue')
    ? epilogue(p, rows, columns, parts, widths)
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

const conv: Model = (p, dispatch, widths) => {
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

const convTranspose: Model = (p, _, widths) => {
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
 * Four filters of four columns and one or two rows: what the windows of these take in is loaded once, for each quad of filters again.
 * Weights come once to a workgroup that keeps them, else for each row of each invocation.
 */
const windowed: Model = (p, { constants, groups }, widths) => {
  const { element, operand } = widths
  const { DEPTHWISE, ROWS, QUADS, KEPT } = constants as P
  const [d, h, w] = axesOf(p)
  const lines = p.batch * inside(d)
  const blocks = product(p.batch, p.outD, ceil(p.outH, ROWS), ceil(p.outW, 4))
  const filters = DEPTHWISE ? quads(p.groups) : quads(p.filters) * p.groups
  const depth = DEPTHWISE ? 1 : p.channels
  const loaded = lines * linesOf(h, ROWS) * columnsOf(w) * filters * (DEPTHWISE ? 1 : quads(depth) / 4)
  const factors = KEPT
    ? product(...groups) * KEPT * QUADS * 4
    : lines * inside(h) * p.kernelW * ceil(p.outW, 4) * (DEPTHWISE ? 1 : quads(depth)) * filters
  const columns = DEPTHWISE ? p.groups : p.filters
  const parts = DEPTHWISE ? 1 : p.groups
  const pixels = product(p.batch, p.outD, p.outH, p.outW)
  const end = epilogue(p, pixels, columns, parts, widths, blocks)
  const macs = pixels * columns * parts * product(p.kernelD, p.kernelH, p.kernelW, depth)
  const different = p.batch * product(...axesOf(p).map(touched)) * p.groups * depth
  return {
    moved: loaded * element + factors * operand + end.moved,
    least: different * element + product(p.kernelD, p.kernelH, p.kernelW, depth, columns, parts) * operand + end.least,
    macs,
    done: macs
  }
}

const gemm: Model = (p, dispatch, widths) => {
  const { element, operand } = widths
  const tiles = tilesOf(dispatch)
  const end = behind(p, dispatch, p.rows, p.columns, 1, widths)
  const macs = p.rows * p.inner * p.columns
  return {
    moved: p.rows * p.inner * tiles.columns * element + p.inner * quads(p.columns) * tiles.rows * operand + end.moved,
    least: p.rows * p.inner * element + p.inner * p.columns * operand + end.least,
    macs,
    done: macs
  }
}

/** A workgroup for each panel of eight columns of each row. */
const rowTimesPanel: Model = (p, dispatch, widths) => {
  const { element, operand } = widths
  const panels = dispatch.groups[0]
  const whole = gemm(p, dispatch, widths)
  const end = epilogue(p, p.rows, p.columns, 1, widths)
  return { ...whole, moved: p.rows * panels * p.inner * (element + 8 * operand) + end.moved }
}

const matmul: Model = (p, dispatch, widths) => {
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

const scatterInputs: Model = (p, _dispatch, { element }) => {
  const { axes, points, tiles } = winogradOf(p)
  const stored = tiles * points
  return {
    moved: (p.batch * product(...axes.map(inside)) + stored) * p.channels * element,
    least: (p.batch * product(...axes.map(touched)) + stored) * p.channels * element
  }
}

const winogradProduct: Model = (p, dispatch, { element }) => {
  const { K, points, tiles } = winogradOf(p)
  const { rows, columns } = tilesOf(dispatch)
  const stored = tiles * p.filters * element
  return {
    moved: points * (tiles * p.channels * element * columns + p.channels * quads(p.filters) * constant * rows + stored),
    least: points * (tiles * p.channels * element + p.channels * p.filters * constant + stored),
    macs: product(p.batch, p.outH, p.outW, K, K, p.channels, p.filters),
    done: points * tiles * p.channels * p.filters
  }
}

const gatherOutputs: Model = (p, _dispatch, { element }) => {
  const { points, tiles } = winogradOf(p)
  const operands = constant * (p.act === prelu ? 2 : 1)
  const outputs = product(p.batch, p.outH, p.outW, p.filters) * element * (p.residual ? 2 : 1)
  const products = tiles * points * p.filters * element
  return { moved: products + tiles * p.filters * operands + outputs, least: products + p.filters * operands + outputs }
}

/** Loops of six, each operand of which moves along some of them. */
const elementwise =
  (...operands: string[]): Model =>
  (p, { entry }, widths) => {
    const sizes = named(p, 'd', 6)
    const count = product(...sizes)
    // Where four are taken at a time, one that stands still is read once for the four.
    const still = (name: string) => (entry.endsWith('4') && p[`${name}5`] === 0 ? 4 : 1)
    const stored = count * widths.element
    const read = operands.map(name => (count / still(name)) * widthAt(p, name, widths))
    const once = operands.map(name => reached(sizes, named(p, name, 6)) * widthAt(p, name, widths))
    return { moved: read.reduce((a, b) => a + b, stored), least: once.reduce((a, b) => a + b, stored) }
  }

const pool: Model = (p, _, { element }) => {
  const axes = [0, 1, 2].map(i => axisOf(['x', 'y', 'k', 's', 'd', 'b'].map(name => p[name + i])))
  const images = p.batch * p.channels * element
  const stored = images * product(...named(p, 'y', 3))
  return {
    moved: images * product(...axes.map(inside)) + stored,
    least: images * product(...axes.map(touched)) + stored
  }
}

/** Reads its input `times` over, and operands by channel for each element. */
const passes =
  (times: number, elementsOf: (p: P) => number, operandsOf: (p: P) => { each: number; once: number }): Model =>
  (p, _, { element }) => {
    const elements = elementsOf(p)
    const { each, once } = operandsOf(p)
    return { moved: elements * ((times + 1) * element + each), least: elements * 2 * element + once }
  }

const groupNorm = passes(
  3,
  p => product(p.batch, p.channels, p.p0, p.p1, p.p2),
  p => ({ each: 2 * constant, once: 2 * constant * (p.perGroup ? p.groups : p.channels) })
)
const layerNorm = passes(
  3,
  p => product(p.count, ...named(p, 'k', 4)),
  p => ({ each: constant * (p.biased ? 2 : 1), once: constant * p.count * (p.biased ? 2 : 1) })
)
const scaleShift = passes(
  1,
  p => product(p.channels, ...named(p, 'k', 4)),
  p => ({ each: 2 * constant, once: 2 * constant * p.channels })
)
const softmax = passes(
  3,
  p => product(p.count, ...named(p, 'k', 4)),
  () => ({ each: 0, once: 0 })
)

/** Each four channels read all that one of their windows takes in. */
const lrn: Model = (p, { constants }, { element }) => {
  const lanes = constants?.LANES ?? 1
  const before = Math.floor((p.size - 1) / 2)
  let read = 0
  for (let c = 0; c < p.channels; c += lanes)
    read += Math.min(c + lanes - 1 - before + p.size, p.channels) - Math.max(c - before, 0)
  const pixels = product(...named(p, 'k', 4)) * element
  return { moved: pixels * (read + 2 * p.channels), least: pixels * 2 * p.channels }
}

const pad: Model = (p, _, { element }) => {
  const [sizes, targets] = [named(p, 'n', 5), named(p, 'm', 5)]
  const kept = product(
    ...sizes.map((size, i) => Math.max(Math.min(targets[i], size + (p[`b${i}`] | 0)) - Math.max(p[`b${i}`] | 0, 0), 0))
  )
  const stored = product(...targets)
  return { moved: ((p.mode ? stored : kept) + stored) * element, least: (kept + stored) * element }
}

const reduce: Model = (p, _, { element }) => {
  const outputs = product(...named(p, 'k', 4))
  const read = outputs * product(...named(p, 'r', 4))
  return {
    moved: (read * (p.kind === logOfSumOfExp ? 2 : 1) + outputs) * element,
    least: (read + outputs) * element
  }
}

const argmax: Model = (p, _, { element }) => {
  const outputs = product(...named(p, 'k', 4))
  const bytes = outputs * (p.count + 1) * element
  return { moved: bytes, least: bytes }
}

const gather: Model = (p, { constants }, widths) => {
  const elements = p.outer * p.count * p.inner
  const [x, index] = [widthAt(p, 'x', widths), widthAt(p, 'indices', widths)]
  const copied = elements * (x + widths.element)
  return { moved: copied + (elements / (constants?.LANES ?? 1)) * index, least: copied + p.count * index }
}

/** Nearest reads one element, linear two, cubic four; more where shrinking widens the filter. */
const resizeAxis: Model = (p, _, { element }) => {
  const scale = p.scale || p.ySize / p.xSize
  const taps = p.mode ? 2 * p.mode * (p.antialias ? Math.max(1, 1 / scale) : 1) : 1
  const lines = product(...named(p, 'k', 4)) * element
  return { moved: lines * p.ySize * (taps + 1), least: lines * (Math.min(p.xSize, p.ySize * taps) + p.ySize) }
}

const resizePlane: Model = (p, _, { element }) => {
  const images = p.batch * p.channels * element
  const outputs = p.y0 * p.y1
  const read = outputs * (p.mode ? 4 : 1)
  return { moved: images * (read + outputs), least: images * (Math.min(p.x0 * p.x1, read) + outputs) }
}

/** By entry point; products by the file of their hooks. */
const models: Readonly<Record<string, Model>> = {
  'conv-product': conv,
  gemm,
  matmul,
  joinSums,
  'winograd-product': winogradProduct,
  convTranspose,
  windows: windowed,
  rowTimesPanel,
  scatterInputs,
  gatherOutputs,
  unary: elementwise('x'),
  binary: elementwise('a', 'b'),
  choose: elementwise('c', 'a', 'b'),
  pool,
  groupNorm,
  layerNorm,
  scaleShift,
  softmax,
  lrn,
  pad,
  reduce,
  argmax,
  gather,
  resizeAxis,
  resizePlane
}

/** `longReduce` and `unary4` read and write what `reduce` and `unary` do. */
function modelOf({ entry, files }: GpuDispatch): Model | undefined {
  if (entry === 'product') return files.map(file => models[file]).find(Boolean)
  const plain = entry.replace(/4$/, '').replace(/^long(.)/, (_, letter) => letter.toLowerCase())
  return models[plain]
}

/** What a dispatch moves; undefined for a shader that has no model here. */
export function trafficOf(dispatch: GpuDispatch, precision: 'f32' | 'f16'): Traffic | undefined {
  const widths = { element: precision === 'f16' ? 2 : 4, operand: dispatch.operand === 'f16' ? 2 : 4 }
  const modelled = modelOf(dispatch)?.(dispatch.block, dispatch, widths)
  return modelled && { macs: 0, done: 0, ...modelled }
}

/** All of them together, and the entry points that have no model. */
export function totalOf(
  dispatches: readonly GpuDispatch[],
  precision: 'f32' | 'f16'
): Traffic & { readonly unknown: readonly string[] } {
  const total = { moved: 0, least: 0, macs: 0, done: 0 }
  const unknown = new Set<string>()
  for (const dispatch of dispatches) {
    const traffic = trafficOf(dispatch, precision)
    if (!traffic) unknown.add(dispatch.entry)
    else for (const key of ['moved', 'least', 'macs', 'done'] as const) total[key] += traffic[key]
  }
  return { ...total, unknown: [...unknown] }
}
