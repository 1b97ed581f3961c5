import { aligned, each, list, named, product, type Shader } from '../dispatch.js'

/** Outputs of at least so many elements take a workgroup each where there are few. */
const manyElements = 32
const fewOutputs = 8192
/** Fewer workgroups of four outputs each are made of one each. */
const fewGroups = 32

export const reduce: Shader = {
  block: 'Reduce',
  dispatches(p, imitated) {
    const inner = p.x3 === 1 && p.y3 === 1
    const steps = [...named(p, 'x', 3), ...named(p, 'y', 3), ...named(p, 's', 4)]
    const all = product(...named(p, 'k', 4))
    const many = product(...named(p, 'r', 4)) >= manyElements
    const vector = inner && aligned(p.k3, p.xAt, p.yAt, ...steps) && !(many && all < 4 * fewGroups)
    const LANES = vector ? 4 : 1
    const outputs = all / LANES
    const long = !imitated && outputs < fewOutputs && many
    return [
      {
        files: ['index', 'loops', 'lanes', 'tree', 'together', 'reduce'],
        entry: long ? 'longReduce' : 'reduce',
        constants: { LANES, KIND: p.kind },
        vector,
        groups: long ? each(outputs) : list(outputs)
      }
    ]
  }
}
