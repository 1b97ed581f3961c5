import { each, list, named, product, type Shader } from '../dispatch.js'

/** Rows from this length on take a workgroup each where there are few. */
const longRow = 64
const fewRows = 1024

export const argmax: Shader = {
  block: 'Argmax',
  dispatches(p) {
    const rows = product(...named(p, 'k', 4))
    const long = p.count >= longRow && rows < fewRows
    return [
      {
        files: ['index', 'loops', 'argmax'],
        entry: long ? 'longArgmax' : 'argmax',
        vector: false,
        groups: long ? each(rows) : list(rows)
      }
    ]
  }
}
