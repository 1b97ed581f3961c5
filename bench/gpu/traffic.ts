import type { GpuDispatch } from '../../runtime/index.js'
import { constant, logOfSumOfExp, type Model, named, type P, product, reached, type Traffic, widthAt } from './model.js'
import {
  conv,
  convTranspose,
  gatherOutputs,
  gemm,
  joinSums,
  matmul,
  patches,
  rowTimesPanel,
  scatterInputs,
  windowed,
  winogradProduct
} from './products.js'
import { axisOf, inside, touched } from './windows.js'

export type { Traffic } from './model.js'

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
  conv8: conv,
  gemm,
  gemm8: gemm,
  matmul,
  joinSums,
  'winograd-product': winogradProduct,
  convTranspose,
  patches,
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
  if (/^(product8?|laneProduct)$/.test(entry)) return files.map(file => models[file]).find(Boolean)
  const plain = entry.replace(/4$/, '').replace(/^long(.)/, (_, letter) => letter.toLowerCase())
  return models[plain]
}

/** What a dispatch moves; undefined for a shader that has no model here. */
export function trafficOf(dispatch: GpuDispatch, precision: 'f32' | 'f16'): Traffic | undefined {
  const widths = { element: precision === 'f16' ? 2 : 4, operand: { f32: 4, f16: 2, i8: 1 }[dispatch.operand] }
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

export const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
