import { list, product, type Shader } from '../dispatch.js'

export const widen8: Shader = {
  block: 'Widen8',
  dispatches: p => [
    {
      files: ['index', 'weights', 'widen8'],
      entry: 'widen8',
      vector: false,
      groups: list(product(p.panels, p.rows, p.columns))
    }
  ]
}
