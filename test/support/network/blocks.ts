// The usual blocks of convolutional networks: each takes a random network and adds something to its end.

import { float } from '../onnx/model.js'
import { activation, layer, maybe, norm, sameConv } from './layers.js'
import type { Block } from './moves.js'
import { area, type FeatureMap, type Net, type Size, sameMap, sameSpace } from './net.js'

function residual(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  let y = maybe(net, maybe(net, sameConv(net, x, net.channels()), 0.5, norm), 0.7, activation)
  y = maybe(net, maybe(net, sameConv(net, y, x.c), 0.5, norm), 0.3, activation)
  const side = maybe(net, x, 0.3, random.chance(0.5) ? activation : norm)
  const name = model.add('Add', random.chance(0.5) ? [y.name, side.name] : [side.name, y.name])
  return maybe(net, maybe(net, { ...x, name }, 0.2, norm), 0.6, activation)
}

function join(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const a = net.any()
  const mates = net.maps.filter(b => sameMap(a, b) && b !== a)
  if (!mates.length) return undefined
  const name = model.add(random.pick(['Add', 'Add', 'Mul', 'Sub', 'Max']), [a.name, random.pick(mates).name])
  return maybe(net, { ...a, name }, 0.4, activation)
}

function concat(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const a = net.any()
  const axis = random.pick([1, 1, 1, 2, 3])
  const fits = (b: FeatureMap) =>
    axis === 1 ? sameSpace(a, b) : a.c === b.c && (axis === 2 ? a.w.key === b.w.key : a.h.key === b.h.key)
  const mates = random.shuffled(net.maps.filter(fits)).slice(0, random.int(1, 3))
  if (random.chance(0.1)) mates.push(a)
  const parts = random.shuffled([a, ...mates.filter(b => b !== a || random.chance(0.2))])
  if (parts.length < 2) return undefined
  const name = model.add(
    'Concat',
    parts.map(part => part.name),
    { axis }
  )
  const sum = (sizes: Size[]): Size => ({
    now: sizes.reduce((n, s) => n + s.now, 0),
    key: `(${sizes
      .map(s => s.key)
      .sort()
      .join('+')})`
  })
  if (axis === 1) return { ...a, name, c: parts.reduce((n, part) => n + part.c, 0) }
  return axis === 2 ? { ...a, name, h: sum(parts.map(p => p.h)) } : { ...a, name, w: sum(parts.map(p => p.w)) }
}

/** Concatenations that grow, each the prefix of the next. */
function dense(net: Net): FeatureMap {
  const { random, model } = net
  let x = net.any()
  for (let i = random.int(2, 3); i > 0; i--) {
    const y = sameConv(net, maybe(net, maybe(net, x, 0.6, norm), 0.6, activation), random.int(1, 9))
    x = { ...x, name: model.add('Concat', [x.name, y.name], { axis: 1 }), c: x.c + y.c }
  }
  return x
}

/** Branches of one map, joined along channels. */
function inception(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const parts = Array.from({ length: random.int(2, 4) }, (_, i) => {
    if (i === 0 && random.chance(0.3)) return x
    return maybe(net, maybe(net, sameConv(net, x, net.channels()), 0.4, norm), 0.6, activation)
  })
  return {
    ...x,
    name: model.add(
      'Concat',
      parts.map(part => part.name),
      { axis: 1 }
    ),
    c: parts.reduce((n, p) => n + p.c, 0)
  }
}

function squeezeExcite(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const inner = random.int(1, 6)
  const mean = random.chance(0.5) ? model.add('GlobalAveragePool', [x.name]) : reduce(net, x, [2, 3])
  let gate = model.add('Conv', [mean, model.weights([inner, x.c, 1, 1]), model.weights([inner])])
  gate = model.add(random.pick(['Relu', 'LeakyRelu']), [gate])
  gate = model.add('Conv', [gate, model.weights([x.c, inner, 1, 1]), model.weights([x.c])])
  gate = model.add(random.pick(['Sigmoid', 'HardSigmoid']), [gate])
  return maybe(
    net,
    { ...x, name: model.add('Mul', random.chance(0.5) ? [x.name, gate] : [gate, x.name]) },
    0.3,
    activation
  )
}

function reduce(net: Net, x: FeatureMap, axes: number[], op = 'ReduceMean'): string {
  const { model } = net
  return model.opset >= 18 ? model.add(op, [x.name, model.ints(axes)]) : model.add(op, [x.name], { axes })
}

/** The mean and the maximum over channels say which pixels count (Woo 2018). */
function spatialAttention(net: Net): FeatureMap {
  const { model } = net
  const x = net.any()
  const both = model.add('Concat', [reduce(net, x, [1]), reduce(net, x, [1], 'ReduceMax')], { axis: 1 })
  const gate = model.add('Sigmoid', [model.add('Conv', [both, model.weights([1, 2, 3, 3])], { pads: [1, 1, 1, 1] })])
  return { ...x, name: model.add('Mul', [x.name, gate]) }
}

function constantArithmetic(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const operand = random.chance(0.6)
    ? net.perChannel(x.c, 0.3, 2)
    : random.chance(0.5)
      ? model.scalar(random.uniform(0.3, 2))
      : model.weights([1, x.c, 1, 1], [-2, -0.3])
  const op = random.pick(['Mul', 'Add', 'Sub', 'Div'])
  const y = { ...x, name: model.add(op, op !== 'Div' && random.chance(0.3) ? [operand, x.name] : [x.name, operand]) }
  return random.chance(0.5) ? layer(net, y) : y
}

function normalised(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const [scale, bias] = [model.weights([x.c]), model.weights([x.c])]
  switch (random.int(0, 2)) {
    case 0:
      return maybe(net, net.like(x, 'InstanceNormalization', [scale, bias], { epsilon: float(0.05) }), 0.4, activation)
    case 1:
      return net.like(x, 'LRN', [], { size: random.pick([1, 3, 5]), alpha: float(0.3) })
    default:
      return net.like(x, 'Softmax', [], { axis: random.pick([1, 1, 3]) })
  }
}

/** One set of parameters in two places. */
function shared(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const statistics = net.statistics(x.c)
  const weights = model.weights([x.c, x.c, 3, 3], [-0.3, 0.3])
  const conv = (y: FeatureMap) => net.like(y, 'Conv', [weights], { pads: [1, 1, 1, 1] })
  const a = random.chance(0.5) ? net.norm(conv(x), statistics) : net.norm(x, statistics)
  const b = random.chance(0.5) ? net.norm(conv(a), statistics) : conv(a)
  net.keep(a)
  return random.chance(0.5) ? { ...x, name: model.add('Add', [a.name, b.name]) } : b
}

function nothing(net: Net): FeatureMap {
  const x = net.any()
  return net.random.chance(0.5) ? net.like(x, 'Identity') : net.like(x, 'Dropout', [net.model.scalar(0.4)])
}

/** With how often each is drawn. */
export const usualBlocks: readonly (readonly [number, Block])[] = [
  [8, net => layer(net, net.any())],
  [2, net => layer(net, net.any(), undefined, 1)],
  [2, net => layer(net, net.any(), undefined, 0)],
  [2, net => norm(net, net.any())],
  [2, net => activation(net, net.any())],
  [3, net => net.pool(net.any())],
  [4, residual],
  [3, join],
  [4, concat],
  [3, dense],
  [2, inception],
  [2, squeezeExcite],
  [1, spatialAttention],
  [2, net => maybe(net, maybe(net, net.transposedConv(net.any()), 0.4, norm), 0.5, activation)],
  [2, constantArithmetic],
  [1, normalised],
  [1, shared],
  [1, nothing]
]

/** Whether a map is small enough to go on with. */
export const isSmall = (x: FeatureMap) => x.c * area(x) <= 12000 && x.c <= 80
