import { list, named, product, type Shader } from '../dispatch.js'

/** Without a reduction ONNX allows no two updates of one place, so that each may go on its own. */
const unordered = 0

export const scatter: Shader = {
  block: 'Scatter',
  either: ['indices', 'updates'],
  dispatches(p) {
    const lines = product(...named(p, 'k', 4))
    const each = p.kind === unordered
    return [
      {
        files: ['index', 'loops', 'weights', 'scatter'],
        entry: each ? 'scatterEach' : 'scatter',
        vector: false,
        groups: list(each ? lines * p.count : lines)
      }
    ]
  }
}
