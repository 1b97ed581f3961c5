import {
  activationCount,
  type Fields,
  filled,
  finishes,
  first,
  inPanels,
  isSmall,
  loops,
  nothing,
  product,
  type Rule
} from './rule.js'

/** Matrix products and convolutions: sums of products with weights in panels. */

const epilogue = 'residual act alpha:f beta:f tiles'
const convBuffers = {
  x: 'read',
  w: 'read',
  bias: 'read',
  slope: 'read',
  r: 'read',
  y: 'write',
  scratch: 'scratch'
} as const
type ConvBuffer = keyof typeof convBuffers

/** Floats of a tile's table with one segment (asm/dense/tile.ts), and tiles that a block of rows has at most. */
const tileTable = 18
const tablesOf = (p: Fields) => Math.max(p.tiles, 1) * tileTable
export const hasTiles = (p: Fields) => p.tiles < 2 ** 20

function products(scratch: (p: Fields) => number, weight = 1): Rule<ConvBuffer> {
  return {
    fields: `rows inner columns xRow yRow rRow ${epilogue}`,
    buffers: convBuffers,
    legal: p => finishes(p) && hasTiles(p),
    touches: p => ({
      x: loops([p.rows, p.xRow], [p.inner, 1]),
      w: first(Math.ceil(inPanels(p.columns) * p.inner * weight)),
      bias: first(p.columns),
      slope: first(p.columns),
      r: p.residual ? loops([p.rows, p.rRow], [p.columns, 1]) : nothing,
      y: loops([p.rows, p.yRow], [p.columns, 1]),
      scratch: first(scratch(p))
    }),
    each: p => p.inner
  }
}

const gemm = products(tablesOf)
/** Packs blocks of rows, six of them at least. */
const gemmPacked = products(p => Math.max(tablesOf(p), Math.max(4 * p.tiles, 6) * p.inner))
/** Weights are halves; more rows than one widen a panel of them. */
const gemmHalf = products(p => (p.rows === 1 ? 0 : p.inner * 8) + tablesOf(p), 1 / 2)

const matmul: Rule<'x' | 'w' | 'y' | 'scratch'> = {
  fields: `rows inner columns d*2 x*2 w*2 y*2 xRow wRow wColumn yRow ${epilogue}`,
  buffers: { x: 'read', w: 'read', y: 'write', scratch: 'scratch' },
  legal: p => finishes(p) && hasTiles(p),
  touches: p => ({
    x: loops([p.d0, p.x0], [p.d1, p.x1], [p.rows, p.xRow], [p.inner, 1]),
    w: loops([p.d0, p.w0], [p.d1, p.w1], [p.inner, p.wRow], [p.columns, p.wColumn]),
    y: loops([p.d0, p.y0], [p.d1, p.y1], [p.rows, p.yRow], [p.columns, 1]),
    scratch: first(inPanels(p.columns) * p.inner + 8 + tablesOf(p))
  }),
  each: p => p.inner
}

const recurrent: Rule<'x' | 'w' | 'bias' | 'peephole' | 'lengths' | 'h0' | 'c0' | 'y' | 'h' | 'c' | 'scratch'> = {
  fields:
    'gates steps batch size directions first end backward late coupled peeped counted begun charged clip:f act*3 alpha*3:f beta*3:f',
  buffers: {
    x: 'read',
    w: 'read',
    bias: 'read',
    peephole: 'read',
    lengths: 'read',
    h0: 'read',
    c0: 'read',
    y: 'write',
    h: 'write',
    c: 'write',
    scratch: 'scratch'
  },
  // The kernel has a function of its own behind the others.
  legal: p =>
    [1, 3, 4].includes(p.gates) &&
    p.first <= p.end &&
    p.end <= p.directions &&
    Math.max(p.act0, p.act1, p.act2) <= activationCount,
  touches(p) {
    const states = filled(p.directions, p.batch, p.size)
    return {
      x: filled(p.steps, p.batch, p.directions, p.gates, p.size),
      w: filled(p.directions, p.gates, inPanels(p.size), p.size),
      bias: p.late ? filled(p.directions, p.size) : nothing,
      peephole: p.peeped ? filled(p.directions, 3, p.size) : nothing,
      lengths: p.counted ? first(p.batch) : nothing,
      h0: p.begun ? states : nothing,
      c0: p.charged ? states : nothing,
      y: filled(p.steps, p.batch, p.directions, p.size),
      h: states,
      c: p.gates > 3 ? states : nothing,
      scratch: first(inPanels(p.size) + p.batch * p.size * (3 + p.gates) + 16 * tileTable)
    }
  },
  each: p => p.gates * p.size
}

const axes = ['D', 'H', 'W'] as const
const plane = ['H', 'W'] as const
const spatial = (...names: string[]) => names.map(name => axes.map(axis => name + axis).join(' ')).join(' ')
const steps = (...names: string[]) => names.map(name => `${name}N ${spatial(name)}`).join(' ')
/** What convolutions of floats and of bytes begin with. */
export const convSizes = `batch groups channels filters ${spatial('in', 'out', 'kernel', 'stride', 'pad', 'dilation')} ${steps('x', 'y')}`
export const convFields = `${convSizes} ${steps('r')} ${epilogue}`

export const taps = (p: Fields) => p.kernelD * p.kernelH * p.kernelW

/** Pixels of an operand along some axes, each of `groups` times `wide` elements. */
export const pixels = (p: Fields, sizes: string, operand: string, wide: number, along: readonly string[] = axes) =>
  loops(
    [p.batch, p[`${operand}N`]],
    ...along.map(a => [p[sizes + a], p[operand + a]] as const),
    [p.groups, wide],
    [wide, 1]
  )

/** Positions fit 31 bits. Padding may be less than nothing, where a transposed convolution is cut. */
export function hasWindows(p: Fields): boolean {
  return axes.every(a => {
    const [stride, dilation, kernel] = [p[`stride${a}`], p[`dilation${a}`], p[`kernel${a}`]]
    const extent = (p[`out${a}`] + 4) * stride + kernel * dilation + p[`in${a}`]
    return stride > 0 && dilation > 0 && kernel > 0 && isSmall(extent, p[`pad${a}`] | 0)
  })
}

export const isDeep = (p: Fields) => p.inD !== 1 || p.kernelD !== 1 || p.outD !== 1

const conv: Rule<ConvBuffer> = {
  fields: convFields,
  buffers: convBuffers,
  legal: p => finishes(p) && hasTiles(p) && p.tiles > 0 && hasWindows(p),
  touches: p => ({
    x: pixels(p, 'in', 'x', p.channels),
    w: first(p.groups * inPanels(p.filters) * taps(p) * p.channels),
    ...vectors(p),
    r: p.residual ? pixels(p, 'out', 'r', p.filters) : nothing,
    y: pixels(p, 'out', 'y', p.filters),
    scratch: first(p.tiles * (12 + taps(p) * 6) + p.groups * p.channels + lanes(p))
  }),
  each: p => product(taps(p), p.channels)
}

/** Weights of few filters once more, in lanes (asm/dense/narrow.ts). */
const lanes = (p: Fields) =>
  p.groups === 1 && p.filters <= 3 && p.channels % 4 === 0 ? taps(p) * p.channels * p.filters : 0

/** Bias and slopes lie in the weights' panels; the last group's need not be filled. */
function vectors(p: Fields) {
  const length = p.groups ? (p.groups - 1) * inPanels(p.filters) + p.filters : 0
  return { bias: first(length), slope: first(length) }
}

const depthwise: Rule<ConvBuffer> = {
  ...conv,
  legal: p => finishes(p) && hasWindows(p) && !isDeep(p) && p.channels === 1 && p.filters === 1,
  touches: p => ({
    x: pixels(p, 'in', 'x', 1),
    w: first(taps(p) * p.groups),
    bias: first(p.groups),
    slope: first(p.groups),
    r: p.residual ? pixels(p, 'out', 'r', 1) : nothing,
    y: pixels(p, 'out', 'y', 1),
    scratch: p.residual ? first(p.outW * p.groups) : nothing
  }),
  each: taps
}

/** F(m x m, k x k) on tiles of `side` squared. */
function winograd(m: number, side: number): Rule<ConvBuffer> {
  return {
    fields: `batch groups channels filters inH inW outH outW padH padW xN xH xW yN yH yW rN rH rW ${epilogue}`,
    buffers: convBuffers,
    // Tiles come in groups, of which the kernels know several sizes.
    legal: p =>
      finishes(p) && hasTiles(p) && p.tiles > 0 && p.tiles % 12 === 0 && isSmall(p.outH, p.outW, p.padH, p.padW),
    touches: p => ({
      x: pixels(p, 'in', 'x', p.channels, plane),
      w: first(p.groups * side * side * inPanels(p.filters) * p.channels),
      ...vectors(p),
      r: p.residual ? pixels(p, 'out', 'r', p.filters, plane) : nothing,
      y: pixels(p, 'out', 'y', p.filters, plane),
      scratch: first(side * side * (p.tiles * (p.channels + inPanels(p.filters)) + 32))
    }),
    each: p => product(p.channels) * (side / m) ** 2
  }
}

const winogradFilters: Rule<'w' | 'u'> = {
  fields: 'groups channels filters size kernel',
  buffers: { w: 'read', u: 'write' },
  legal: p => (p.kernel === 3 && (p.size === 2 || p.size === 4)) || (p.kernel === 5 && p.size === 2),
  touches(p) {
    const panels = [p.groups, inPanels(p.filters), p.channels]
    return { w: filled(...panels, p.kernel ** 2), u: filled(...panels, (p.size + p.kernel - 1) ** 2) }
  },
  each: p => p.kernel
}

export const dense = {
  gemm,
  gemmPacked,
  gemmHalf,
  matmul,
  recurrent,
  conv,
  convTranspose: conv,
  depthwise,
  winograd2: winograd(2, 4),
  winograd4: winograd(4, 6),
  winograd2x5: winograd(2, 6),
  winogradFilters
}
