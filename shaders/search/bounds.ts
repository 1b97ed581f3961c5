import type { Shader } from '../dispatch.js'

export const bounds: Shader = {
  block: 'Bounds',
  either: ['indices', 'count'],
  dispatches() {
    return [{ files: ['weights', 'bounds'], entry: 'bounds', vector: false, groups: [1, 1, 1] }]
  }
}
