import { list, named, product, type Shader } from '../dispatch.js'

export const poolIndex: Shader = {
  block: 'PoolIndex',
  dispatches: p => [
    {
      files: ['index', 'loops', 'lanes', 'taps', 'pool-index'],
      entry: 'poolIndex',
      vector: false,
      groups: list(product(p.batch, ...named(p, 'y', 3), p.channels))
    }
  ]
}
