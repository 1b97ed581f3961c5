import { first, type Rule } from './rule.js'

/** The updates at the end of a training step, and dropout. */

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

export const training = { sgd, adam, dropout }
