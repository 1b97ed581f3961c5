// Blocks of random networks that try layouts, views and placement: parts of axes, other ranks, broadcasting, outputs
// that share memory, shapes that are computed.
import { float } from '../onnx/model.js'
import type { Block } from './moves.js'
import { type FeatureMap, type Net, type Size, sameMap } from './net.js'

const last = 2 ** 31 - 1

/** Parts along height or width, worked on and joined again, perhaps in another order or on another axis. */
function strips(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const axis = random.int(2, 3)
  const size = axis === 2 ? x.h : x.w
  if (!net.fixed || size.now < 2) return undefined
  const first = random.int(1, size.now - 1)
  const names = model.addMany('Split', [x.name, model.ints([first, size.now - first])], 2, { axis })
  const parts = names.map(name => (random.chance(0.5) ? model.add('Sigmoid', [name]) : name))
  if (random.chance(0.4)) parts.reverse()
  return { ...x, name: model.add('Concat', parts, { axis }) }
}

/** Halves of equal size joined on another axis than they were cut. */
function folded(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  if (x.c % 2 || x.c < 2) return undefined
  const halves = model.addMany('Split', [x.name, model.ints([x.c / 2, x.c / 2])], 2, { axis: 1 })
  const axis = random.int(2, 3)
  const twice = ({ now, key }: Size): Size => ({ now: now * 2, key: `(${key}+${key})` })
  const name = model.add('Concat', halves, { axis })
  return axis === 2 ? { ...x, name, c: x.c / 2, h: twice(x.h) } : { ...x, name, c: x.c / 2, w: twice(x.w) }
}

/** Backwards along one axis. */
function reversed(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const axis = random.int(1, 3)
  const name = model.add('Slice', [x.name, ...[[-1], [-last], [axis], [-1]].map(list => model.ints(list))])
  return { ...x, name }
}

/** Concatenations that share a beginning, or repeat a part, or take a constant or an input of the network. */
function sharedConcats(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const side = model.add('Tanh', [x.name])
  const two = model.add('Concat', [x.name, side], { axis: 1 })
  const third = random.pick([two, side, x.name])
  const more = model.add('Concat', random.chance(0.5) ? [two, third] : [x.name, side, third], { axis: 1 })
  const c = 2 * x.c + (third === two ? 2 * x.c : x.c)
  if (random.chance(0.4)) net.keep({ ...x, name: two, c: 2 * x.c })
  if (random.chance(0.5)) return { ...x, name: more, c }
  return net.conv({ ...x, name: more, c })
}

/** Pixels as the rows of a sequence: Reshape, Transpose, MatMul, perhaps attention, and back. */
function sequence(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const pixels = x.h.now * x.w.now
  if (!net.fixed || pixels > 120) return undefined
  const rows = model.add('Transpose', [model.add('Reshape', [x.name, model.ints([0, x.c, -1])])], { perm: [0, 2, 1] })
  let mixed = model.add('MatMul', [rows, model.weights([x.c, x.c])])
  if (random.chance(0.5)) {
    const keys = model.add('Transpose', [rows], { perm: [0, 2, 1] })
    const scores = model.add('Softmax', [model.add('Mul', [model.add('MatMul', [mixed, keys]), model.scalar(0.1)])], {
      axis: 2
    })
    mixed = model.add('MatMul', [scores, rows])
  }
  if (model.opset >= 17 && random.chance(0.5))
    mixed = model.add('LayerNormalization', [mixed, model.weights([x.c]), model.weights([x.c])], {
      epsilon: float(0.05)
    })
  if (random.chance(0.5)) mixed = model.add('Add', [mixed, rows])
  const back = model.add('Transpose', [mixed], { perm: [0, 2, 1] })
  return { ...x, name: model.add('Reshape', [back, model.ints([0, x.c, x.h.now, x.w.now])]) }
}

/** One-dimensional convolution over all pixels, or three-dimensional over groups of channels. */
function otherRanks(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  if (!net.fixed) return undefined
  const [h, w] = [x.h.now, x.w.now]
  const shape = model.ints([0, x.c, h, w])
  if (random.chance(0.5) || x.c % 2) {
    const flat = model.add('Reshape', [x.name, model.ints([0, x.c, -1])])
    const y = model.add('Conv', [flat, model.weights([x.c, x.c, 3], [-0.4, 0.4])], { pads: [1, 1] })
    return { ...x, name: model.add('Reshape', [y, shape]) }
  }
  const deep = model.add('Reshape', [x.name, model.ints([0, 2, x.c / 2, h, w])])
  const y = model.add('Conv', [deep, model.weights([2, 2, 3, 1, 3], [-0.4, 0.4])], { pads: [1, 0, 1, 1, 0, 1] })
  return { ...x, name: model.add('Reshape', [y, shape]) }
}

/** Operands that repeat along some axes. */
function broadcast(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  const axes = random.pick([[1], [2, 3], [2], [3], [1, 2, 3], [1, 3]])
  const small =
    model.opset >= 18 ? model.add('ReduceMax', [x.name, model.ints(axes)]) : model.add('ReduceMax', [x.name], { axes })
  const op = random.pick(['Add', 'Mul', 'Sub', 'Max', 'Min'])
  const name = model.add(op, random.chance(0.5) ? [x.name, small] : [small, x.name])
  return { ...x, name: random.chance(0.4) ? model.add('Relu', [name]) : name }
}

/** The length of each pixel's vector brought to one. */
function unitLength(net: Net): FeatureMap {
  const { model } = net
  const x = net.any()
  const length =
    model.opset >= 18
      ? model.add('ReduceL2', [x.name, model.ints([1])])
      : model.add('ReduceL2', [x.name], { axes: [1] })
  return { ...x, name: model.add('Div', [x.name, model.add('Add', [length, model.scalar(0.1)])]) }
}

/** Reshapes with sizes that are read off the value itself. */
function computedShape(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const shape = model.add('Shape', [x.name])
  const at = (axis: number) => model.add('Slice', [shape, model.ints([axis]), model.ints([axis + 1]), model.ints([0])])
  if (x.c % 2 === 0 && random.chance(0.6)) {
    const split = model.add('Reshape', [
      x.name,
      model.add('Concat', [at(0), model.ints([2, x.c / 2]), at(2), at(3)], { axis: 0 })
    ])
    const moved = model.add('Transpose', [split], { perm: [0, 2, 1, 3, 4] })
    return {
      ...x,
      name: model.add('Reshape', [moved, model.add('Concat', [at(0), model.ints([-1]), at(2), at(3)], { axis: 0 })])
    }
  }
  const other = random.pick(net.maps.filter(map => map.c === x.c))
  const target = model.add('Slice', [
    model.add('Shape', [other.name]),
    model.ints([2]),
    model.ints([4]),
    model.ints([0])
  ])
  const sizes = model.add(
    'Concat',
    [model.add('Slice', [shape, model.ints([0]), model.ints([2]), model.ints([0])]), target],
    { axis: 0 }
  )
  const none = model.constant({ dtype: 'float32', dims: [0], data: [] })
  const mode = random.pick(['nearest', 'linear'])
  const name = model.add('Resize', [x.name, none, none, sizes], {
    mode,
    coordinate_transformation_mode: 'asymmetric',
    ...(mode === 'nearest' ? { nearest_mode: 'floor' } : {})
  })
  return { ...x, name, h: other.h, w: other.w }
}

/** A choice between two maps. */
function choice(net: Net): FeatureMap | undefined {
  const { random, model } = net
  const x = net.any()
  const mates = net.maps.filter(map => sameMap(x, map))
  const picked = model.add('Greater', [x.name, model.weights([x.c, 1, 1], [20, 30])])
  const operands = [random.pick(mates).name, random.chance(0.5) ? x.name : model.weights([x.c, 1, 1])]
  return { ...x, name: model.add('Where', [picked, ...operands]) }
}

/** Fully connected layers on pooled channels, with what may stand between them, gating the map. */
function denseGate(net: Net): FeatureMap {
  const { random, model } = net
  const x = net.any()
  let y = model.add('Flatten', [model.add('GlobalMaxPool', [x.name])])
  y = model.add('Gemm', [y, model.weights([x.c, 9]), model.weights([9])])
  if (random.chance(0.5)) y = model.add('BatchNormalization', [y, ...net.statistics(9)])
  const skip = y
  y = model.add('Gemm', [model.add('PRelu', [y, model.weights([9])]), model.weights([9, 9])], {
    transB: random.int(0, 1)
  })
  y = model.add('Relu', [model.add('Add', random.chance(0.5) ? [y, skip] : [skip, y])])
  y = model.add('Sigmoid', [model.add('MatMul', [y, model.weights([9, x.c])])])
  const gate = model.add('Unsqueeze', [y, model.ints([2, 3])])
  return { ...x, name: model.add('Mul', [x.name, gate]) }
}

/** With how often each is drawn. */
export const oddBlocks: readonly (readonly [number, Block])[] = [
  [1, strips],
  [1, folded],
  [1, reversed],
  [2, sharedConcats],
  [2, sequence],
  [1, otherRanks],
  [2, broadcast],
  [1, unitLength],
  [2, computedShape],
  [1, choice],
  [1, denseGate]
]
