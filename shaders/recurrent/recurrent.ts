import { common, each, product, type Shader } from '../dispatch.js'

export const recurrent: Shader = {
  block: 'Recurrent',
  halves: 'w',
  either: ['x', 'bias', 'peephole', 'lengths', 'h0', 'c0'],
  scratch: p => (p.end - p.first) * p.batch * p.size * 7,
  dispatches: p => [
    {
      files: ['index', ...common, 'recurrent'],
      entry: 'recurrent',
      vector: false,
      groups: each(product(p.end - p.first, p.batch))
    }
  ]
}
