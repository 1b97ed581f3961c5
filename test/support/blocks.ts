// The blocks that random networks are made of: each takes a network and adds something to its end.
import { float } from './model.js'
import { area, type FeatureMap, type Net, type Size, sameMap, sameSpace } from './net.js'

export type Block = (net: Net) => FeatureMap | undefined

const simple = [
  'Relu',
  'LeakyRelu',
  'Sigmoid',
  'Tanh',
  'Elu',
  'HardSigmoid',
  'HardSwish',
  'Softplus',
  'Selu',
  'Erf',
  'Abs',
  'Neg'
]

const isIn = (op: string, opset: number) => op !== 'HardSwish' || opset >= 14

/** Any function of one number, also as exporters write it with several nodes. */
export function activation(net: Net, x: FeatureMap): FeatureMap {
  const { random, model } = net
  const times = (a: string, b: string) => ({ ...x, name: model.add('Mul', random.chance(0.5) ? [a, b] : [b, a]) })
  switch (random.int(0, 12)) {
    case 0:
      return times(x.name, model.add('Sigmoid', [x.name]))
    case 1:
      return net.like(x, 'Clip', [model.scalar(random.pick([0, -1])), model.scalar(random.pick([6, 1, 0.5]))])
    case 2:
      return net.like(x, 'PRelu', [random.chance(0.7) ? net.perChannel(x.c) : model.weights([1])])
    case 3: {
      const clipped = model.add('Clip', [model.add('Add', [x.name, model.scalar(3)]), model.scalar(0), model.scalar(6)])
      return random.chance(0.5)
        ? times(x.name, model.add('Div', [clipped, model.scalar(6)]))
        : { ...x, name: model.add('Div', [times(x.name, clipped).name, model.scalar(6)]) }
    }
    case 4:
      return times(x.name, model.add('Tanh', [model.add('Softplus', [x.name])]))
    case 5: {
      const erf = model.add('Erf', [model.add('Div', [x.name, model.scalar(Math.SQRT2)])])
      const product = times(x.name, model.add('Add', [erf, model.scalar(1)]))
      return { ...x, name: model.add('Mul', [product.name, model.scalar(0.5)]) }
    }
    case 6:
      return net.like(x, 'LeakyRelu', [], { alpha: float(random.uniform(0.05, 0.5)) })
    case 7:
      return times(x.name, model.add('HardSigmoid', [x.name], { alpha: float(1 / 6) }))
    default:
      return net.like(x, random.pick(random.chance(0.5) ? ['Relu'] : simple.filter(op => isIn(op, model.opset))))
  }
}

const maybe = (net: Net, x: FeatureMap, probability: number, then: (net: Net, x: FeatureMap) => FeatureMap) =>
  net.random.chance(probability) ? then(net, x) : x

const norm = (net: Net, x: FeatureMap) => net.norm(x)

/** Convolution, normalisation and activation, each of the last two perhaps missing. */
function layer(net: Net, x: FeatureMap, filters?: number, kind?: number): FeatureMap {
  return maybe(net, maybe(net, net.conv(x, filters, kind), 0.5, norm), 0.6, activation)
}

/** A convolution that keeps height and width. */
function sameConv(net: Net, x: FeatureMap, filters: number): FeatureMap {
  const { model, random } = net
  const [kh, kw] = [random.pick([1, 3, 5]), random.pick([1, 3, 3])]
  const limit = 2 / Math.sqrt(x.c * kh * kw)
  const weights = model.weights([filters, x.c, kh, kw], [-limit, limit])
  const [ph, pw] = [(kh - 1) / 2, (kw - 1) / 2]
  return { ...x, name: model.add('Conv', [x.name, weights], { pads: [ph, pw, ph, pw] }), c: filters }
}

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

function splitUp(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  if (x.c < 2) return undefined
  const first = random.int(1, x.c - 1)
  const names = model.addMany('Split', [x.name, model.ints([first, x.c - first])], 2, { axis: 1 })
  const parts = names.map((name, i) => ({ ...x, name, c: i ? x.c - first : first }))
  const done = parts.map(part =>
    random.chance(0.4) ? part : maybe(net, sameConv(net, part, net.channels()), 0.6, activation)
  )
  for (const part of done) if (random.chance(0.3)) net.keep(part)
  const ordered = random.chance(0.3) ? [done[1], done[0]] : done
  return {
    ...x,
    name: model.add(
      'Concat',
      ordered.map(p => p.name),
      { axis: 1 }
    ),
    c: done[0].c + done[1].c
  }
}

function slice(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  if (random.chance(0.5)) {
    if (x.c < 2) return undefined
    const begin = random.int(0, x.c - 1)
    const end = random.int(begin + 1, x.c)
    const step = random.pick([1, 1, 2])
    const name = model.add('Slice', [x.name, ...[[begin], [end], [1], [step]].map(list => model.ints(list))])
    return { ...x, name, c: Math.ceil((end - begin) / step) }
  }
  const axis = random.int(2, 3)
  const size = axis === 2 ? x.h : x.w
  if (size.now < 3) return undefined
  const [begin, cut, step] = [random.int(0, 1), random.int(0, 1), random.pick([1, 1, 2])]
  const name = model.add('Slice', [
    x.name,
    ...[[begin], [cut ? -cut : 2 ** 31 - 1], [axis], [step]].map(list => model.ints(list))
  ])
  const cutSize = { now: Math.ceil((size.now - begin - cut) / step), key: `s(${size.key},${begin},${cut},${step})` }
  return axis === 2 ? { ...x, name, h: cutSize } : { ...x, name, w: cutSize }
}

/** ShuffleNet's: channels as a matrix, transposed. */
function shuffle(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const groups = [2, 3, 4].filter(g => x.c % g === 0 && x.c > g)
  if (!groups.length) return undefined
  const g = random.pick(groups)
  const [h, w] = net.fixed ? [x.h.now, x.w.now] : [undefined, undefined]
  if (h === undefined || w === undefined) return undefined
  const split = model.add('Reshape', [x.name, model.ints([-1, g, x.c / g, h, w])])
  const moved = model.add('Transpose', [split], { perm: [0, 2, 1, 3, 4] })
  return { ...x, name: model.add('Reshape', [moved, model.ints([-1, x.c, h, w])]) }
}

function padded(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const mode = random.pick(['constant', 'constant', 'reflect', 'edge'])
  const most = (size: Size) => Math.min(2, mode === 'reflect' ? size.now - 1 : 2)
  const [top, left, bottom, right] = [x.h, x.w, x.h, x.w].map(size => random.int(0, most(size)))
  const value = mode === 'constant' && random.chance(0.3) ? [model.scalar(random.pick([0, 1.5]))] : []
  const name = model.add('Pad', [x.name, model.ints([0, 0, top, left, 0, 0, bottom, right]), ...value], { mode })
  const grown = (size: Size, by: number) => (by ? { now: size.now + by, key: `p(${size.key},${by})` } : size)
  const y = { ...x, name, h: grown(x.h, top + bottom), w: grown(x.w, left + right) }
  return random.chance(0.5) ? net.conv(y) : random.chance(0.5) ? net.pool(y) : y
}

function resize(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const [a, b] = [random.pick([1, 2, 2, 3, 0.5]), random.pick([1, 2, 2, 1.5])]
  const scaled = (size: Size, by: number): Size => ({
    now: Math.max(Math.floor(size.now * by), 1),
    key: by === 1 ? size.key : `r(${size.key},${by})`
  })
  const rows = Math.floor(x.h.now * a) < 1 ? 1 : a
  const mode = random.pick(['nearest', 'linear', 'cubic'])
  const coordinates = random.pick(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'])
  const nearest = { nearest_mode: random.pick(['floor', 'round_prefer_floor']) }
  const name = model.add(
    'Resize',
    [x.name, undefined, model.constant({ dtype: 'float32', dims: [4], data: [1, 1, rows, b] })],
    {
      mode,
      coordinate_transformation_mode: coordinates,
      ...(mode === 'nearest' ? nearest : {})
    }
  )
  return { ...x, name, h: scaled(x.h, rows), w: scaled(x.w, b) }
}

/** Something done with channels last, between two transposes. */
function channelsLast(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  let name = model.add('Transpose', [x.name], { perm: [0, 2, 3, 1] })
  let c = x.c
  if (random.chance(0.4)) {
    c = net.channels()
    name = model.add('MatMul', [name, model.weights([x.c, c])])
  }
  if (random.chance(0.5)) name = model.add('Add', [name, model.weights([c])])
  if (random.chance(0.4)) name = model.add(random.pick(simple.filter(op => isIn(op, model.opset))), [name])
  if (random.chance(0.3)) name = model.add('Softmax', [name], { axis: -1 })
  return { ...x, name: model.add('Transpose', [name], { perm: [0, 3, 1, 2] }), c }
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

function blocks(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  if (random.chance(0.5)) {
    if (x.c % 4) return undefined
    const name = model.add('DepthToSpace', [x.name], { blocksize: 2, mode: random.pick(['DCR', 'CRD']) })
    const twice = ({ now, key }: Size) => ({ now: now * 2, key: `2(${key})` })
    return { name, c: x.c / 4, h: twice(x.h), w: twice(x.w) }
  }
  if (!net.fixed || x.h.now % 2 || x.w.now % 2 || x.c > 12) return undefined
  const half = ({ now, key }: Size) => ({ now: now / 2, key: `h(${key})` })
  return { name: model.add('SpaceToDepth', [x.name], { blocksize: 2 }), c: x.c * 4, h: half(x.h), w: half(x.w) }
}

function nothing(net: Net): FeatureMap {
  const x = net.any()
  return net.random.chance(0.5) ? net.like(x, 'Identity') : net.like(x, 'Dropout', [net.model.scalar(0.4)])
}

/** With how often each is drawn. */
export const allBlocks: readonly (readonly [number, Block])[] = [
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
  [3, splitUp],
  [2, slice],
  [2, shuffle],
  [3, padded],
  [2, net => maybe(net, maybe(net, net.transposedConv(net.any()), 0.4, norm), 0.5, activation)],
  [2, resize],
  [2, channelsLast],
  [2, constantArithmetic],
  [1, normalised],
  [1, shared],
  [1, blocks],
  [1, nothing]
]

/** Whether a map is small enough to go on with. */
export const isSmall = (x: FeatureMap) => x.c * area(x) <= 12000 && x.c <= 80
