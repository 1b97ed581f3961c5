import { aligned, inLanes, named, product, type Shader } from '../dispatch.js'

export const pool: Shader = {
  block: 'Pool',
  dispatches(p) {
    const steps = [p.xBatch, ...named(p, 'i', 3), p.yBatch, ...named(p, 'o', 3)]
    const vector = aligned(p.channels, p.xAt, p.yAt, ...steps)
    return [
      inLanes(
        ['index', 'loops', 'lanes', 'taps', 'pool'],
        'pool',
        vector,
        product(p.batch, ...named(p, 'y', 3), p.channels)
      )
    ]
  }
}
