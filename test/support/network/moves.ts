// Blocks of random networks that cut, move, pad and resize maps.
import { activation, maybe, sameConv, simpleFor } from './layers.js'
import type { FeatureMap, Net, Size } from './net.js'

export type Block = (net: Net) => FeatureMap | undefined

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
  if (random.chance(0.4)) name = model.add(random.pick(simpleFor(model.opset)), [name])
  if (random.chance(0.3)) name = model.add('Softmax', [name], { axis: -1 })
  return { ...x, name: model.add('Transpose', [name], { perm: [0, 3, 1, 2] }), c }
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

/** With how often each is drawn. */
export const moves: readonly (readonly [number, Block])[] = [
  [3, splitUp],
  [2, slice],
  [2, shuffle],
  [3, padded],
  [2, resize],
  [2, channelsLast],
  [1, blocks]
]
