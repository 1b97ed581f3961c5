import type { Shader } from '../dispatch.js'

export const nonZero: Shader = {
  block: 'NonZero',
  either: ['x'],
  dispatches() {
    return [{ files: ['weights', 'nonzero'], entry: 'nonZero', vector: false, groups: [1, 1, 1] }]
  }
}
