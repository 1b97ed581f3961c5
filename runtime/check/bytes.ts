import { convSizes, hasTiles, hasWindows, isDeep, pixels, taps } from './dense.js'
import { along, loopsOf } from './elements.js'
import { hasWindows as hasPools, input, output, window, windowFields } from './images.js'
import { type Fields, filled, first, inPanels, loops, product, type Rule } from './rule.js'

/** Layers of bytes, whose sums are exact in 32 bits. */

const requantise = 'yZero low high'
const productBuffers = {
  x: 'read',
  w: 'read',
  sums: 'read',
  scale: 'read',
  bias: 'read',
  y: 'write',
  scratch: 'scratch'
} as const

/** Products that a sum of compiler/ops/dense/gemm8.ts has at most, and bytes that one in pool8.ts has. */
const longestSum = 2 ** 16
const largestWindow = 2 ** 23

const areBytes = (...values: readonly number[]) => values.every(value => value < 256)
const areSteps = (...values: readonly number[]) => values.every(value => value > 0 && value < Number.POSITIVE_INFINITY)
const requantises = (p: Fields) => areBytes(p.xZero, p.yZero, p.low, p.high)

/** Rows of a panel, which come in groups of 4. */
const inGroups = (rows: number) => Math.ceil(rows / 4) * 4
/** Where rows of 6 begin, and behind what comes before, elements of 16 bits at most, the last vector's whole. */
const scratchOf = (offsets: number, rows: number, elements: number) =>
  first(Math.ceil((offsets * 4 + Math.ceil(rows / 6) * 24 + elements * 2 + 16) / 4))
const hasRows = (p: Fields) => p.tiles > 0 && hasTiles(p)

/** One float a column, in whole panels. */
function vectors(columns: number) {
  return { sums: first(columns), scale: first(columns), bias: first(columns) }
}

const gemm8: Rule<keyof typeof productBuffers> = {
  fields: `rows inner columns xRow yRow xZero ${requantise} tiles`,
  buffers: productBuffers,
  bytes: ['x', 'w', 'y'],
  legal: p => requantises(p) && hasRows(p) && p.inner <= longestSum,
  touches: p => ({
    x: loops([p.rows, p.xRow], [p.inner, 1]),
    w: first(inPanels(p.columns) * inGroups(p.inner)),
    ...vectors(inPanels(p.columns)),
    y: loops([p.rows, p.yRow], [p.columns, 1]),
    // A panel that is widened, and rows of four tiles at least.
    scratch: scratchOf(1, Math.max(p.tiles, 4) * 6, (Math.max(p.tiles, 4) * 6 + 8) * inGroups(p.inner))
  }),
  each: p => p.inner
}

const sums8: Rule<'w' | 'y'> = {
  fields: 'panels groups',
  buffers: { w: 'read', y: 'write' },
  bytes: ['w'],
  legal: p => p.groups <= longestSum,
  touches: p => ({ w: first(p.panels * 8 * p.groups * 4), y: first(p.panels * 8) }),
  each: p => p.groups * 4
}

/** Rows of a panel of weights: pixels, or kernel rows of them, filled up to groups. */
function weightRows(p: Fields): number {
  const row = p.runs ? inGroups(p.kernelW * p.channels) : p.kernelW * inGroups(p.channels)
  return p.kernelD * p.kernelH * row
}

/** Elements that `rows` rows of output read of one group, zero points around them. */
function bandOf(p: Fields): number {
  const height = (p.rows - 1) * p.strideH + (p.kernelH - 1) * p.dilationH + 1
  const width = (p.outW - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 1
  return p.kernelD * height * width * p.channels
}

/** Whether windows are those of asm/conv/winograd8.ts, and the floats that it takes for them. */
const hasTransforms = (p: Fields) =>
  p.kernelD * p.outD * p.groups * p.strideH * p.strideW * p.dilationH * p.dilationW === 1 &&
  p.kernelH === 3 &&
  p.kernelW === 3 &&
  p.outW > 6 &&
  p.channels % 8 === 0

function stripFloats(p: Fields): number {
  const tiles = p.strip * Math.ceil(p.outW / 2)
  const band = (2 * p.strip + 2) * (p.outW + 2) + 1
  return 664 + (p.channels * (400 + 32 * tiles + 2 * band) + 512 * tiles) / 4
}

const conv8: typeof gemm8 = {
  fields: `${convSizes} runs xZero ${requantise} rows strip`,
  buffers: productBuffers,
  bytes: ['x', 'w', 'y'],
  legal: p =>
    requantises(p) &&
    p.rows > 0 &&
    hasWindows(p) &&
    taps(p) * p.channels <= longestSum &&
    (p.strip === 0 || hasTransforms(p)) &&
    (p.runs === 0 || (p.runs === 1 && p.dilationW === 1)),
  touches: p => ({
    x: pixels(p, 'in', 'x', p.channels),
    w: first(p.groups * inPanels(p.filters) * weightRows(p)),
    ...vectors(p.groups * inPanels(p.filters)),
    y: pixels(p, 'out', 'y', p.filters),
    scratch: first(
      Math.max(
        scratchOf(p.runs ? p.kernelD * p.kernelH : taps(p), p.rows * p.outW, bandOf(p) + 8 * weightRows(p)).high,
        p.strip && stripFloats(p)
      )
    )
  }),
  each: p => product(taps(p), p.channels)
}

const conv32: Rule<'x' | 'w' | 'sums' | 'zero' | 'y' | 'scratch'> = {
  fields: conv8.fields,
  buffers: { x: 'read', w: 'read', sums: 'read', zero: 'read', y: 'write', scratch: 'scratch' },
  bytes: ['x', 'w'],
  legal: conv8.legal,
  touches(p) {
    const { scale: _s, bias: _b, ...others } = conv8.touches(p)
    return { ...others, zero: first(1) }
  },
  each: conv8.each
}

/** What the kernel keeps of weights by output and quad, and of interleaved rows (asm/conv/depthwise8.ts). */
function ringFloats(p: Fields): number {
  const outputs =
    p.strideW === 1
      ? p.kernelW > 3 && p.kernelW <= 5
        ? 4
        : 2
      : p.strideW === 2 && p.kernelW > 3 && p.kernelW <= 5
        ? 2
        : 1
  const quads = Math.floor(((outputs - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 4) / 4)
  const ring = ((p.kernelH - 1) * p.dilationH + 1) * 32 * quads * 64
  return (64 + p.kernelH * 4 + outputs * 32 * 64 + p.kernelH * quads * outputs * 128 + ring) / 4
}

const depthwise8: Rule<'x' | 'w' | 'scale' | 'bias' | 'y' | 'scratch'> = {
  fields: conv8.fields,
  buffers: { x: 'read', w: 'read', scale: 'read', bias: 'read', y: 'write', scratch: 'scratch' },
  bytes: ['x', 'w', 'y'],
  legal: p =>
    requantises(p) && hasWindows(p) && !isDeep(p) && p.channels === 1 && p.filters === 1 && taps(p) <= longestSum,
  touches: p => ({
    x: pixels(p, 'in', 'x', 1),
    w: first(taps(p) * p.groups),
    scale: first(p.groups),
    bias: first(p.groups),
    y: pixels(p, 'out', 'y', 1),
    // A pixel of zero points.
    scratch: first(ringFloats(p))
  }),
  each: taps
}

const lookup: Rule<'x' | 'table' | 'y'> = {
  fields: loopsOf('x', 'y'),
  buffers: { x: 'read', table: 'read', y: 'write' },
  bytes: ['x', 'table', 'y'],
  touches: p => ({ x: along(p, 'x'), table: first(256), y: along(p, 'y') })
}

/** Kinds of compiler/ops/elementwise/binary8.ts. */
export const binary8Count = 2

const binary8: Rule<'a' | 'b' | 'y'> = {
  fields: `${loopsOf('a', 'b', 'y')} kind aZero bZero aScale:f bScale:f yScale:f ${requantise}`,
  buffers: { a: 'read', b: 'read', y: 'write' },
  bytes: ['a', 'b', 'y'],
  legal: p =>
    p.kind < binary8Count &&
    areBytes(p.aZero, p.bZero, p.yZero, p.low, p.high) &&
    areSteps(p.aScale, p.bScale, p.yScale),
  touches: p => ({ a: along(p, 'a'), b: along(p, 'b'), y: along(p, 'y') })
}

const quantize: Rule<'x' | 'y'> = {
  fields: `${loopsOf('x', 'y')} scale:f zero`,
  buffers: { x: 'read', y: 'write' },
  bytes: ['y'],
  legal: p => areSteps(p.scale) && areBytes(p.zero),
  touches: p => ({ x: along(p, 'x'), y: along(p, 'y') })
}

/** The kinds of pooling but the sum, which no byte holds. */
const pool8Count = 3

const pool8: Rule<'x' | 'y'> = {
  fields: `kind ${windowFields} xZero scale:f ${requantise}`,
  buffers: { x: 'read', y: 'write' },
  bytes: ['x', 'y'],
  legal: p => p.kind < pool8Count && hasPools(p) && window(p) <= largestWindow && requantises(p) && areSteps(p.scale),
  touches: p => ({ x: input(p), y: output(p) }),
  each: window
}

const widen8: Rule<'w' | 'y' | 'scale'> = {
  fields: 'groups rows columns panel',
  buffers: { w: 'read', y: 'write', scale: 'read' },
  bytes: ['w'],
  legal: p => p.panel > 0 && p.panel <= p.columns + 8,
  touches: ({ groups, rows, columns, panel }) => ({
    w: filled(groups, columns, rows),
    y: filled(groups, Math.ceil(columns / panel), rows, panel),
    scale: filled(groups, columns)
  })
}

export const bytes = {
  gemm8,
  sums8,
  conv8,
  conv32,
  depthwise8,
  lookup,
  binary8,
  quantize,
  dequantize: { ...quantize, bytes: ['x'] } as const,
  pool8,
  widen8
}
