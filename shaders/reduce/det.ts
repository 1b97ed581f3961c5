import { list, type Shader } from '../dispatch.js'

export const det: Shader = {
  block: 'Det',
  either: ['x'],
  scratch: p => p.count * p.size * p.size,
  dispatches(p) {
    return [{ files: ['index', 'weights', 'det'], entry: 'det', vector: false, groups: list(p.count) }]
  }
}
