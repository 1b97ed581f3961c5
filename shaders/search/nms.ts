import { each, list, type Shader } from '../dispatch.js'

export const nms: Shader = {
  block: 'Nms',
  either: ['corners', 'scores'],
  scratch: p => p.lines * p.boxes,
  dispatches(p) {
    return [{ files: ['index', 'weights', 'nms'], entry: 'nms', vector: false, groups: each(p.lines) }]
  }
}

export const nmsRows: Shader = {
  block: 'NmsRows',
  dispatches(p) {
    return [{ files: ['index', 'nms-rows'], entry: 'nmsRows', vector: false, groups: list(p.lines * p.most) }]
  }
}
