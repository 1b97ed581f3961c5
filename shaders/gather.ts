import { aligned, list, type Shader } from './dispatch.js'

export const gather: Shader = {
  block: 'Gather',
  either: ['x', 'indices'],
  dispatches(p) {
    const vector = aligned(p.inner, p.xAt, p.yAt)
    const LANES = vector ? 4 : 1
    return [
      {
        files: ['index', 'weights', 'lanes', 'gather'],
        entry: 'gather',
        constants: { LANES },
        vector,
        groups: list((p.outer * p.count * p.inner) / LANES)
      }
    ]
  }
}
