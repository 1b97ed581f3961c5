import { aligned, inLanes, named, product, type Shader } from '../dispatch.js'

export const roiAlign: Shader = {
  block: 'RoiAlign',
  either: ['x', 'rois', 'images'],
  dispatches(p) {
    const vector = aligned(p.channels, p.xAt, p.yAt, ...named(p, 'x', 3), ...named(p, 'y', 3))
    const files = ['index', 'weights', 'lanes', 'operands', 'roialign']
    return [inLanes(files, 'roiAlign', vector, product(p.regions, p.m0, p.m1, p.channels))]
  }
}
