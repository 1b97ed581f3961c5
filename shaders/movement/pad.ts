import { aligned, inLanes, named, product, type Shader } from '../dispatch.js'

export const pad: Shader = {
  block: 'Pad',
  dispatches(p) {
    const dense = p.x4 === 1 && p.y4 === 1
    // Four neighbours are all inside or all constant; other modes would turn those outside around.
    const whole = aligned(p.n4, p.m4, p.b4) && (p.mode === 0 || p.n4 === p.m4)
    const vector = dense && whole && aligned(p.xAt, p.yAt, ...named(p, 'x', 4), ...named(p, 'y', 4))
    return [inLanes(['index', 'loops', 'lanes', 'pad'], 'pad', vector, product(...named(p, 'm', 5)))]
  }
}
