import { aligned, inLanes, type Shader } from '../dispatch.js'

export const gather: Shader = {
  block: 'Gather',
  either: ['x', 'indices'],
  dispatches(p) {
    const vector = aligned(p.inner, p.xAt, p.yAt)
    return [inLanes(['index', 'weights', 'lanes', 'gather'], 'gather', vector, p.outer * p.count * p.inner)]
  }
}
