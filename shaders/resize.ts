import { aligned, list, named, product, type Shader } from './dispatch.js'

export const resizeAxis: Shader = {
  block: 'ResizeAxis',
  dispatches(p) {
    const steps = [p.xStep, p.yStep, ...named(p, 'x', 3), ...named(p, 'y', 3)]
    const vector = p.x3 === 1 && p.y3 === 1 && aligned(p.k3, p.xAt, p.yAt, ...steps)
    const LANES = vector ? 4 : 1
    return [
      {
        files: ['index', 'loops', 'lanes', 'resize'],
        entry: 'resizeAxis',
        constants: { LANES },
        vector,
        groups: list(product(...named(p, 'k', 4), p.ySize) / LANES)
      }
    ]
  }
}

export const resizePlane: Shader = {
  block: 'ResizePlane',
  dispatches(p) {
    const steps = [p.xBatch, ...named(p, 'i', 2), p.yBatch, ...named(p, 'o', 2)]
    const vector = aligned(p.channels, p.xAt, p.yAt, ...steps)
    const LANES = vector ? 4 : 1
    return [
      {
        files: ['index', 'loops', 'lanes', 'resize'],
        entry: 'resizePlane',
        constants: { LANES },
        vector,
        groups: list(product(p.batch, p.y0, p.y1, p.channels) / LANES)
      }
    ]
  }
}
