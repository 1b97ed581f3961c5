import { common, list, named, product, type Shader } from '../../dispatch.js'

export const slope: Shader = {
  block: 'Slope',
  either: ['a', 'b'],
  dispatches: p => [
    {
      files: ['index', ...common, 'nest', 'derivative'],
      entry: 'slope',
      vector: false,
      groups: list(product(...named(p, 'd', 6)))
    }
  ]
}
