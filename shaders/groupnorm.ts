import { aligned, common, each, named, type Shader } from './dispatch.js'

export const groupNorm: Shader = {
  block: 'GroupNorm',
  either: ['scale', 'bias'],
  dispatches(p) {
    const width = p.channels / p.groups
    const steps = [p.xBatch, ...named(p, 'x', 3), p.yBatch, ...named(p, 'y', 3)]
    const APART = width === 1 && aligned(p.groups)
    const operands = p.perGroup && !APART ? [] : [p.scaleAt, p.biasAt]
    const vector = (APART || aligned(width)) && aligned(p.xAt, p.yAt, ...steps, ...operands)
    const LANES = vector ? 4 : 1
    return [
      {
        files: ['index', 'loops', ...common, 'lanes', 'operands', 'tree', 'groupnorm'],
        entry: 'groupNorm',
        constants: { LANES, APART: Number(APART && vector) },
        vector,
        groups: each((p.batch * p.groups) / (APART && vector ? 4 : 1))
      }
    ]
  }
}
