import { convFields, hasWindows, isDeep, pixels, taps } from './dense.js'
import { elements } from './elements.js'
import { input, output, pools, window, windowFields } from './images.js'
import { activationCount, filled, first, product, type Rule } from './rule.js'
import { rules } from './rules.js'

/** What only training steps call: gradients, the updates at their end, and dropout. Rules that pages without training need not download. */

const sgd: Rule<'g' | 'rate' | 'norm' | 'w' | 'm'> = {
  fields: 'count factor:f momentum:f nesterov l1:f l2:f clip:f',
  buffers: { g: 'read', rate: 'read', norm: 'read', w: 'write', m: 'write' },
  touches: p => ({ g: first(p.count), rate: first(1), norm: first(1), w: first(p.count), m: first(p.count) })
}

const adam: Rule<'g' | 'rate' | 'norm' | 'w' | 'm' | 'v'> = {
  fields: 'count factor:f beta1:f beta2:f epsilon:f l1:f l2:f decay:f clip:f',
  buffers: { g: 'read', rate: 'read', norm: 'read', w: 'write', m: 'write', v: 'write' },
  touches: p => ({
    g: first(p.count),
    rate: first(3),
    norm: first(1),
    w: first(p.count),
    m: first(p.count),
    v: first(p.count)
  })
}

const dropout: Rule<'x' | 'seed' | 'y'> = {
  fields: 'count salt threshold scale:f',
  buffers: { x: 'read', seed: 'read', y: 'write' },
  touches: p => ({ x: first(p.count), seed: first(1), y: first(p.count) })
}

const gradientBuffers = { x: 'read', dy: 'read', y: 'write' } as const

const convGradient: Rule<'x' | 'dy' | 'y'> = {
  fields: convFields,
  buffers: gradientBuffers,
  legal: hasWindows,
  touches: p => ({
    x: pixels(p, 'in', 'x', p.channels),
    dy: pixels(p, 'out', 'y', p.filters),
    y: filled(taps(p), p.groups, p.channels, p.filters)
  }),
  each: p => product(p.batch, p.outD, p.outH, p.outW)
}

const depthwiseGradient: typeof convGradient = {
  ...convGradient,
  // Its walk begins by dividing by the rows, whether there are any or not.
  legal: p => hasWindows(p) && !isDeep(p) && p.outH > 0,
  touches: p => ({
    x: pixels(p, 'in', 'x', 1),
    dy: pixels(p, 'out', 'y', 1),
    y: filled(taps(p), p.groups)
  })
}

const poolGradient: Rule<'x' | 'dy' | 'dx'> = {
  fields: `kind ${windowFields}`,
  buffers: { x: 'read', dy: 'read', dx: 'write' },
  legal: pools,
  touches: p => ({ x: input(p), dy: output(p), dx: filled(p.batch, p.x0, p.x1, p.x2, p.channels) }),
  each: p => 1 + (product(p.y0, p.y1, p.y2) * window(p)) / product(p.x0, p.x1, p.x2)
}

const slope: typeof elements.binary = { ...elements.binary, legal: p => p.act < activationCount }

/** From now on programs may train. */
export function admitTraining(): void {
  Object.assign(rules, { sgd, adam, dropout, convGradient, depthwiseGradient, poolGradient, slope })
}
