import { aligned, each, list, named, product, type Shader } from '../dispatch.js'

/** Outputs of at least so many elements take a workgroup each where there are few. */
const manyElements = 32
const fewOutputs = 8192

export const reduce: Shader = {
  block: 'Reduce',
  dispatches(p) {
    const inner = p.x3 === 1 && p.y3 === 1
    const steps = [...named(p, 'x', 3), ...named(p, 'y', 3), ...named(p, 's', 4)]
    const vector = inner && aligned(p.k3, p.xAt, p.yAt, ...steps)
    const LANES = vector ? 4 : 1
    const outputs = product(...named(p, 'k', 4)) / LANES
    const long = outputs < fewOutputs && product(...named(p, 'r', 4)) >= manyElements
    return [
      {
        files: ['index', 'loops', 'lanes', 'tree', 'reduce'],
        entry: long ? 'longReduce' : 'reduce',
        constants: { LANES },
        vector,
        groups: long ? each(outputs) : list(outputs)
      }
    ]
  }
}
