import { aligned, list, named, product, type Shader } from './dispatch.js'

export const pool: Shader = {
  block: 'Pool',
  dispatches(p) {
    const steps = [p.xBatch, ...named(p, 'i', 3), p.yBatch, ...named(p, 'o', 3)]
    const vector = aligned(p.channels, p.xAt, p.yAt, ...steps)
    const LANES = vector ? 4 : 1
    return [
      {
        files: ['index', 'loops', 'lanes', 'pool'],
        entry: 'pool',
        constants: { LANES },
        vector,
        groups: list(product(p.batch, ...named(p, 'y', 3), p.channels / LANES))
      }
    ]
  }
}
