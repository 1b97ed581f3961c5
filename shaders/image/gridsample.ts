import { aligned, inLanes, named, product, type Shader } from '../dispatch.js'

export const gridSample: Shader = {
  block: 'GridSample',
  either: ['x', 'grid'],
  dispatches(p) {
    const vector = aligned(p.channels, p.xAt, p.yAt, ...named(p, 'x', 3), ...named(p, 'y', 3))
    const files = ['index', 'weights', 'lanes', 'operands', 'gridsample']
    return [inLanes(files, 'gridSample', vector, product(p.batch, p.m0, p.m1, p.channels))]
  }
}
