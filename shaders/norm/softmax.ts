import { each, list, named, product, type Shader } from '../dispatch.js'

/** Rows from this length on take a workgroup each, unless they are many and lie side by side. */
const longRow = 32
const manyRows = 4096

export const softmax: Shader = {
  block: 'Softmax',
  dispatches(p) {
    const rows = product(...named(p, 'k', 4))
    const long = p.count >= longRow && (p.xStep === 1 || rows < manyRows)
    return [
      {
        files: ['index', 'loops', 'lanes', 'tree', 'together', 'softmax'],
        entry: long ? 'longSoftmax' : 'softmax',
        vector: false,
        groups: long ? each(rows) : list(rows)
      }
    ]
  }
}
