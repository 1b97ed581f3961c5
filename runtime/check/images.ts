import { type Fields, isExact, isSmall, loops, nest, type Rule } from './rule.js'

/** Pooling, padding and resizing. */

const axes = [0, 1, 2]
/** Kinds of compiler/ops/pool/pool.ts. */
export const poolCount = 4
export const windowFields = 'batch channels x*3 y*3 k*3 s*3 d*3 b*3 e*3 xBatch i*3 yBatch o*3'

export const window = (p: Fields) => p.k0 * p.k1 * p.k2
export const input = (p: Fields) => loops([p.batch, p.xBatch], ...nest(p, 'x', 'i', 3), [p.channels, 1])
export const output = (p: Fields) => loops([p.batch, p.yBatch], ...nest(p, 'y', 'o', 3), [p.channels, 1])

export function hasWindows(p: Fields): boolean {
  return axes.every(i => {
    const [stride, dilation, kernel] = [p[`s${i}`], p[`d${i}`], p[`k${i}`]]
    const extent = p[`y${i}`] * stride + kernel * dilation + p[`x${i}`] + p[`b${i}`] + p[`e${i}`]
    return stride > 0 && dilation > 0 && kernel > 0 && isSmall(extent)
  })
}

export const pools = (p: Fields) => p.kind < poolCount && hasWindows(p)

const pool: Rule<'x' | 'y'> = {
  fields: `kind ${windowFields}`,
  buffers: { x: 'read', y: 'write' },
  legal: pools,
  touches: p => ({ x: input(p), y: output(p) }),
  each: window
}

const poolIndex: typeof pool = { ...pool, fields: `columns ${windowFields}`, legal: hasWindows }

/** Modes of compiler/ops/movement/pad.ts. */
export const padModeCount = 4
const padAxes = [0, 1, 2, 3, 4]

const pad: Rule<'x' | 'y'> = {
  fields: 'mode value:f n*5 m*5 b*5 x*5 y*5',
  buffers: { x: 'read', y: 'write' },
  legal(p) {
    // Of nothing there is nothing to repeat.
    const sized = p.mode === 0 || padAxes.every(i => p[`n${i}`] > 0)
    return p.mode < padModeCount && sized && padAxes.every(i => p[`b${i}`] + p[`n${i}`] <= p[`m${i}`])
  },
  touches: p => ({ x: loops(...nest(p, 'n', 'x', 5)), y: loops(...nest(p, 'm', 'y', 5)) })
}

/** The lists of compiler/ops/image/interpolate.ts. */
export const interpolationCount = 3
export const coordinateModeCount = 7
export const roundingCount = 4

/** Whether every output element has a place near the input: its position is counted in whole numbers. */
function hasPlaces(scale: number, from: number, to: number): boolean {
  return from > 0 && scale >= 0 && (scale === 0 || isSmall((from + to + 1) / scale, from * scale))
}

const spreadOf = (p: Fields) => {
  const scale = p.scale || p.ySize / p.xSize
  return p.antialias && scale < 1 ? 1 / scale : 1
}

const resizeAxis: Rule<'x' | 'y'> = {
  fields:
    'mode coordinates rounding excludeOutside antialias cubic:f outside:f xSize ySize scale:f from:f to:f xStep yStep k*4 x*4 y*4',
  buffers: { x: 'read', y: 'write' },
  legal: p =>
    p.mode < interpolationCount &&
    p.coordinates < coordinateModeCount &&
    p.rounding < roundingCount &&
    hasPlaces(p.scale, p.xSize, p.ySize) &&
    isSmall(p.from * p.xSize, p.to * p.xSize, (p.to - p.from) * p.xSize * p.ySize),
  touches: p => ({
    x: loops(...nest(p, 'k', 'x', 4), [p.xSize, p.xStep]),
    y: loops(...nest(p, 'k', 'y', 4), [p.ySize, p.yStep])
  }),
  each: p => 2 * p.mode * (p.ySize ? spreadOf(p) : 1) + 1
}

const resizePlane: Rule<'x' | 'y'> = {
  fields: 'mode coordinates rounding batch channels x*2 y*2 scale0:f scale1:f xBatch i*2 yBatch o*2',
  buffers: { x: 'read', y: 'write' },
  legal: p =>
    p.mode < 2 &&
    p.coordinates < coordinateModeCount &&
    p.rounding < roundingCount &&
    isExact(p.x0, p.x1) &&
    hasPlaces(p.scale0, p.x0, p.y0) &&
    hasPlaces(p.scale1, p.x1, p.y1),
  touches: p => ({
    x: loops([p.batch, p.xBatch], ...nest(p, 'x', 'i', 2), [p.channels, 1]),
    y: loops([p.batch, p.yBatch], ...nest(p, 'y', 'o', 2), [p.channels, 1])
  })
}

export const images = { pool, poolIndex, pad, resizeAxis, resizePlane }
