import {
  type Fields,
  filled,
  finishes,
  first,
  isExact,
  loops,
  nest,
  nothing,
  product,
  type Rule,
  type Span
} from './rule.js'

/** Kernels over any strides, and those along rows and channels. */

export const along = (p: Fields, operand: string): Span => loops(...nest(p, 'd', operand, 6))
/** The kept loops of an operand, around `inner` elements `step` apart. */
const rows = (p: Fields, operand: string, inner: number, step = 1): Span =>
  loops(...nest(p, 'k', operand, 4), [inner, step])
const kept = 'k*4 x*4 y*4'
export const loopsOf = (...operands: string[]) => ['d*6', ...operands.map(name => `${name}*6:i`)].join(' ')
const epilogue = 'act alpha:f beta:f'

const unary: Rule<'x' | 'y'> = {
  fields: `${loopsOf('x', 'y')} ${epilogue}`,
  buffers: { x: 'read', y: 'write' },
  legal: finishes,
  touches: p => ({ x: along(p, 'x'), y: along(p, 'y') })
}

/** Kinds of compiler/ops/elementwise/elementwise.ts. */
export const binaryCount = 22

const binary: Rule<'a' | 'b' | 'y'> = {
  fields: `${loopsOf('a', 'b', 'y')} kind ${epilogue}`,
  buffers: { a: 'read', b: 'read', y: 'write' },
  legal: p => p.kind < binaryCount && finishes(p),
  touches: p => ({ a: along(p, 'a'), b: along(p, 'b'), y: along(p, 'y') })
}

const where: Rule<'c' | 'a' | 'b' | 'y'> = {
  fields: loopsOf('c', 'a', 'b', 'y'),
  buffers: { c: 'read', a: 'read', b: 'read', y: 'write' },
  touches: p => ({ c: along(p, 'c'), a: along(p, 'a'), b: along(p, 'b'), y: along(p, 'y') })
}

const gather: Rule<'x' | 'indices' | 'y'> = {
  fields: 'outer size inner count',
  buffers: { x: 'read', indices: 'read', y: 'write' },
  touches: p => ({
    x: first(p.outer * p.size * p.inner),
    indices: first(p.count),
    y: loops([p.outer, p.count * p.inner], [p.count, p.inner], [p.inner, 1])
  })
}

const bounds: Rule<'indices' | 'count' | 'fault'> = {
  fields: 'outer most inner step size limited',
  buffers: { indices: 'read', count: 'read', fault: 'write' },
  touches: p => ({
    indices: loops([p.outer, p.most * p.inner * p.step], [p.most, p.inner * p.step], [p.inner, p.step]),
    count: p.limited ? first(1) : nothing,
    fault: first(2)
  }),
  each: p => product(p.outer, p.most, p.inner)
}

const nonZero: Rule<'x' | 'y' | 'count'> = {
  fields: 'rank d*6',
  buffers: { x: 'read', y: 'write', count: 'write' },
  own: ['x'],
  legal: p => p.rank > 0 && p.rank <= 6 && isExact(roomOf(p)),
  touches: p => ({ x: first(roomOf(p)), y: filled(p.rank, roomOf(p)), count: first(1) })
}

const roomOf = (p: Fields) => [0, 1, 2, 3, 4, 5].reduce((all, i) => all * p[`d${i}`], 1)

const det: Rule<'x' | 'y' | 'work'> = {
  fields: 'count size',
  buffers: { x: 'read', y: 'write', work: 'scratch' },
  legal: p => p.size > 0,
  touches: p => ({ x: first(p.count * p.size ** 2), y: first(p.count), work: first(p.size ** 2) }),
  each: p => p.size ** 3
}

/** Kinds of compiler/ops/movement/scatter.ts. */
export const scatteringCount = 5

const scatter: Rule<'indices' | 'updates' | 'y'> = {
  fields: 'kind size count iStep uStep yStep k*4 i*4 u*4 y*4',
  buffers: { indices: 'read', updates: 'read', y: 'write' },
  legal: p => p.kind < scatteringCount,
  touches: p => ({
    indices: loops(...nest(p, 'k', 'i', 4), [p.count, p.iStep]),
    updates: loops(...nest(p, 'k', 'u', 4), [p.count, p.uStep]),
    y: rows(p, 'y', p.size, p.yStep)
  }),
  each: p => 1 + p.count / Math.max(p.size, 1)
}

const cumsum: Rule<'x' | 'y'> = {
  fields: `exclusive reverse count xStep yStep ${kept}`,
  buffers: { x: 'read', y: 'write' },
  touches: p => ({ x: rows(p, 'x', p.count, p.xStep), y: rows(p, 'y', p.count, p.yStep) })
}

const argmax: Rule<'x' | 'y'> = {
  fields: `least last count step ${kept}`,
  buffers: { x: 'read', y: 'write' },
  legal: p => p.count > 0,
  touches: p => ({ x: rows(p, 'x', p.count, p.step), y: rows(p, 'y', 1) }),
  each: p => p.count
}

/** Kinds of compiler/ops/reduce/reduce.ts. */
export const reductionCount = 10

const reduce: Rule<'x' | 'y'> = {
  fields: `kind ${kept} r*4 s*4`,
  buffers: { x: 'read', y: 'write' },
  legal: p => p.kind < reductionCount,
  touches: p => ({ x: loops(...nest(p, 'k', 'x', 4), ...nest(p, 'r', 's', 4)), y: rows(p, 'y', 1) }),
  each: p => loops(...nest(p, 'r', 's', 4)).trips
}

const softmax: Rule<'x' | 'y'> = {
  fields: `logarithm count xStep yStep ${kept}`,
  buffers: { x: 'read', y: 'write' },
  legal: p => p.count > 0,
  touches: p => ({ x: rows(p, 'x', p.count, p.xStep), y: rows(p, 'y', p.count, p.yStep) })
}

const layerNorm: Rule<'x' | 'scale' | 'bias' | 'y'> = {
  fields: `count biased epsilon:f ${kept}`,
  buffers: { x: 'read', scale: 'read', bias: 'read', y: 'write' },
  touches: p => ({
    x: rows(p, 'x', p.count),
    scale: first(p.count),
    bias: p.biased ? first(p.count) : nothing,
    y: rows(p, 'y', p.count)
  })
}

const groupNorm: Rule<'x' | 'scale' | 'bias' | 'work' | 'y'> = {
  fields: `batch channels groups perGroup epsilon:f p*3 xBatch x*3 yBatch y*3 ${epilogue}`,
  buffers: { x: 'read', scale: 'read', bias: 'read', work: 'scratch', y: 'write' },
  legal: p => p.groups > 0 && p.channels > 0 && p.channels % p.groups === 0 && finishes(p),
  touches: p => ({
    x: loops([p.batch, p.xBatch], ...nest(p, 'p', 'x', 3), [p.channels, 1]),
    scale: first(p.perGroup ? p.groups : p.channels),
    bias: first(p.perGroup ? p.groups : p.channels),
    work: first(Math.ceil(p.channels / 4) * 4 * 5),
    y: loops([p.batch, p.yBatch], ...nest(p, 'p', 'y', 3), [p.channels, 1])
  })
}

const scaleShift: Rule<'x' | 'scale' | 'shift' | 'y'> = {
  fields: `channels ${kept} ${epilogue}`,
  buffers: { x: 'read', scale: 'read', shift: 'read', y: 'write' },
  legal: finishes,
  touches: p => ({
    x: rows(p, 'x', p.channels),
    scale: first(p.channels),
    shift: first(p.channels),
    y: rows(p, 'y', p.channels)
  })
}

const lrn: Rule<'x' | 'y'> = {
  fields: `channels size alpha:f beta:f bias:f ${kept}`,
  buffers: { x: 'read', y: 'write' },
  legal: p => p.size > 0,
  touches: p => ({ x: rows(p, 'x', p.channels), y: rows(p, 'y', p.channels) }),
  each: p => Math.min(p.size, p.channels)
}

export const elements = {
  unary,
  binary,
  where,
  gather,
  scatter,
  bounds,
  nonZero,
  det,
  cumsum,
  argmax,
  reduce,
  softmax,
  layerNorm,
  groupNorm,
  scaleShift,
  lrn
}
