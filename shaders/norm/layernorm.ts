import { aligned, each, named, product, type Shader } from '../dispatch.js'

export const layerNorm: Shader = {
  block: 'LayerNorm',
  either: ['scale', 'bias'],
  dispatches(p) {
    const buffers = [p.xAt, p.scaleAt, p.yAt, ...(p.biased ? [p.biasAt] : [])]
    const vector = aligned(p.count, ...buffers, ...named(p, 'x', 4), ...named(p, 'y', 4))
    return [
      {
        files: ['index', 'loops', 'weights', 'lanes', 'operands', 'tree', 'together', 'layernorm'],
        entry: 'layerNorm',
        constants: { LANES: vector ? 4 : 1 },
        vector,
        groups: each(product(...named(p, 'k', 4)))
      }
    ]
  }
}
