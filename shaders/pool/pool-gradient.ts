import { list, product, type Shader } from '../dispatch.js'

export const poolGradient: Shader = {
  block: 'PoolGradient',
  dispatches: p => [
    {
      files: ['index', 'loops', 'lanes', 'taps', 'pool-gradient'],
      entry: 'poolGradient',
      vector: false,
      groups: list(product(p.batch, p.x0, p.x1, p.x2, p.channels))
    }
  ]
}
