import { aligned, type Block, common, each, named, product, type Shader } from '../dispatch.js'

/** A group of more elements than this is cut into slices, as many as a workgroup can add up on its own. */
const sliceLength = 2048
const mostSlices = 16

function slicesOf(p: Block): number {
  const elements = product(...named(p, 'p', 3), p.channels / p.groups)
  return Math.min(Math.ceil(elements / sliceLength), mostSlices)
}

export const groupNorm: Shader = {
  block: 'GroupNorm',
  either: ['scale', 'bias'],
  scratch: p => (slicesOf(p) > 1 ? p.batch * p.groups * slicesOf(p) * 12 : 0),
  dispatches(p) {
    const width = p.channels / p.groups
    const SLICES = slicesOf(p)
    const steps = [p.xBatch, ...named(p, 'x', 3), p.yBatch, ...named(p, 'y', 3)]
    const apart = width === 1 && aligned(p.groups)
    const operands = p.perGroup && !apart ? [] : [p.scaleAt, p.biasAt]
    const vector = (apart || aligned(width)) && aligned(p.xAt, p.workAt, p.yAt, ...steps, ...operands)
    const LANES = vector ? 4 : 1
    const APART = Number(apart && vector)
    const dispatch = {
      files: ['index', 'loops', ...common, 'lanes', 'operands', 'tree', 'together', 'groupnorm'],
      constants: { LANES, APART, SLICES },
      vector,
      groups: each((p.batch * p.groups * SLICES) / (APART ? 4 : 1))
    }
    const entries = SLICES > 1 ? ['sliceMoments', 'sliceNormal'] : ['groupNorm']
    return entries.map(entry => ({ ...dispatch, entry }))
  }
}
