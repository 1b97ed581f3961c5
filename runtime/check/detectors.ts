import { first, isExact, loops, nest, type Rule } from './rule.js'

/** Selection, and sampling at places that are computed. */

const topk: Rule<'x' | 'y' | 'places' | 'scratch'> = {
  fields: 'largest count taken step yStep k*4 x*4 y*4',
  buffers: { x: 'read', y: 'write', places: 'write', scratch: 'scratch' },
  legal: p => p.taken > 0 && p.taken <= p.count,
  touches: p => {
    const taken = loops(...nest(p, 'k', 'y', 4), [p.taken, p.yStep])
    const x = loops(...nest(p, 'k', 'x', 4), [p.count, p.step])
    return { x, y: taken, places: taken, scratch: first(2 * p.taken) }
  },
  each: p => 32 * p.count
}

const nms: Rule<'corners' | 'scores' | 'picked' | 'counts' | 'scratch'> = {
  fields: 'lines classes boxes most centered limited overlap:f limit:f',
  buffers: { corners: 'read', scores: 'read', picked: 'write', counts: 'write', scratch: 'scratch' },
  own: ['picked'],
  legal: p => p.classes > 0 && isExact(p.boxes),
  touches: p => ({
    corners: first(Math.ceil(p.lines / p.classes) * p.boxes * 4),
    scores: first(p.lines * p.boxes),
    picked: first(p.lines * p.most),
    counts: first(p.lines),
    scratch: first(p.boxes)
  }),
  each: p => 32 * p.boxes
}

const nmsRows: Rule<'picked' | 'counts' | 'y' | 'count'> = {
  fields: 'lines classes most',
  buffers: { picked: 'read', counts: 'read', y: 'write', count: 'write' },
  legal: p => p.classes > 0,
  touches: p => ({
    picked: first(p.lines * p.most),
    counts: first(p.lines),
    y: first(p.lines * p.most * 3),
    count: first(1)
  })
}

/** The lists of compiler/ops/image/gridsample.ts. */
export const samplingCount = 3
export const borderCount = 3

const gridSample: Rule<'x' | 'grid' | 'y'> = {
  fields: 'mode padding corners batch channels n*2 m*2 x*3 g*4 y*3',
  buffers: { x: 'read', grid: 'read', y: 'write' },
  legal: p => p.mode < samplingCount && p.padding < borderCount && p.n0 > 0 && p.n1 > 0 && isExact(p.n0, p.n1),
  touches: p => ({
    x: loops([p.batch, p.x0], [p.n0, p.x1], [p.n1, p.x2], [p.channels, 1]),
    grid: loops([p.batch, p.g0], [p.m0, p.g1], [p.m1, p.g2], [2, p.g3]),
    y: loops([p.batch, p.y0], [p.m0, p.y1], [p.m1, p.y2], [p.channels, 1])
  }),
  each: () => 16
}

/** Samples along a side of a bin, at most (asm/image/roialign.ts). */
const mostSamples = 4096

const roiAlign: Rule<'x' | 'rois' | 'images' | 'y'> = {
  fields: 'mode half ratio scale:f images regions channels n*2 m*2 x*3 r*2 i0 y*3',
  buffers: { x: 'read', rois: 'read', images: 'read', y: 'write' },
  legal: p => p.images > 0 && p.n0 > 0 && p.n1 > 0 && isExact(p.n0, p.n1),
  touches: p => ({
    x: loops([p.images, p.x0], [p.n0, p.x1], [p.n1, p.x2], [p.channels, 1]),
    rois: loops([p.regions, p.r0], [4, p.r1]),
    images: loops([p.regions, p.i0]),
    y: loops([p.regions, p.y0], [p.m0, p.y1], [p.m1, p.y2], [p.channels, 1])
  }),
  each: p => 4 * Math.min(p.ratio || mostSamples, mostSamples) ** 2
}

export const detectors = { topk, nms, nmsRows, gridSample, roiAlign }
