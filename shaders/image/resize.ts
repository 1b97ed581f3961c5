import { aligned, inLanes, named, product, type Shader } from '../dispatch.js'

export const resizeAxis: Shader = {
  block: 'ResizeAxis',
  dispatches(p) {
    const steps = [p.xStep, p.yStep, ...named(p, 'x', 3), ...named(p, 'y', 3)]
    const vector = p.x3 === 1 && p.y3 === 1 && aligned(p.k3, p.xAt, p.yAt, ...steps)
    return [inLanes(['index', 'loops', 'lanes', 'resize'], 'resizeAxis', vector, product(...named(p, 'k', 4), p.ySize))]
  }
}

export const resizePlane: Shader = {
  block: 'ResizePlane',
  dispatches(p) {
    const steps = [p.xBatch, ...named(p, 'i', 2), p.yBatch, ...named(p, 'o', 2)]
    const vector = aligned(p.channels, p.xAt, p.yAt, ...steps)
    return [
      inLanes(['index', 'loops', 'lanes', 'resize'], 'resizePlane', vector, product(p.batch, p.y0, p.y1, p.channels))
    ]
  }
}
