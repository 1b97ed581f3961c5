// Detectors as exporters end them, with suppression inside: small networks of the same structure, seeded weights.
import type { ModelBuilder } from '../../support/onnx/model.js'

type Make = (m: ModelBuilder) => string | readonly string[]

const scalar = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [], data: [value] })
const fixed = (dtype: 'float32' | 'int64', value: number) => ({
  value: { tensor: { dtype, dims: [1], data: [value] } }
})
const columns = (m: ModelBuilder, x: string, from: number, to: number, axis: number) =>
  m.add('Slice', [x, m.ints([from]), m.ints([to]), m.ints([axis])])
/** A size as torch takes it, and as a list of one. */
const size = (m: ModelBuilder, x: string, axis: number) => m.add('Gather', [m.add('Shape', [x]), scalar(m, axis)])
const listed = (m: ModelBuilder, value: string) => m.add('Unsqueeze', [value, m.ints([0])])
const rows = (m: ModelBuilder, x: string, indices: string) => m.add('Gather', [x, indices], { axis: 0 })

/** Two convolutions and what a head makes of them: [1, channels, 64], and a factor by which scores become few or many. */
function network(m: ModelBuilder, channels: number, batch = 1): { map: string; gate: string } {
  const image = m.input([batch, 3, 16, 16])
  const gate = m.input([1], 'float32', [0, 1], 'score_gate')
  const conv = (x: string, from: number, to: number, stride: number) => {
    const most = 2 / Math.sqrt(9 * from)
    const inputs = [x, m.weights([to, from, 3, 3], [-most, most]), m.weights([to])]
    return m.add('Conv', inputs, { pads: [1, 1, 1, 1], strides: [stride, stride] })
  }
  const silu = (x: string) => m.add('Mul', [x, m.add('Sigmoid', [x])])
  const features = silu(conv(silu(conv(image, 3, 8, 2)), 8, 16, 1))
  return { map: m.add('Reshape', [conv(features, 16, channels, 1), m.ints([batch, channels, -1])]), gate }
}

/** Centres on a grid of 8 by 8, and sizes. */
function boxesOf(m: ModelBuilder, offsets: string, axis: number): string {
  const grid = Array.from({ length: 64 }, (_, i) => [(i % 8) + 0.5, Math.floor(i / 8) + 0.5])
  const dims = axis === 1 ? [2, 64] : [64, 2]
  const data = axis === 1 ? [...grid.map(([x]) => x), ...grid.map(([, y]) => y)] : grid.flat()
  const cells = m.constant({ dtype: 'float32', dims: [1, ...dims], data })
  const centre = m.add('Add', [columns(m, offsets, 0, 2, axis), cells])
  const half = m.add('Exp', [m.add('Mul', [m.add('Tanh', [columns(m, offsets, 2, 4, axis)]), m.scalar(0.7)])])
  return m.add('Concat', [m.add('Sub', [centre, half]), m.add('Add', [centre, half])], { axis })
}

/** As torchvision's `nms` is exported. */
function suppressed(m: ModelBuilder, boxes: string, scores: string, overlap: number, limit?: number): string {
  const inputs = [
    m.add('Unsqueeze', [boxes, m.ints([0])]),
    m.add('Unsqueeze', [m.add('Unsqueeze', [scores, m.ints([0])]), m.ints([0])]),
    m.ints([2 ** 62]),
    m.constant({ dtype: 'float32', dims: [1], data: [overlap] }),
    ...(limit === undefined ? [] : [m.constant({ dtype: 'float32', dims: [1], data: [limit] })])
  ]
  const selected = m.add('NonMaxSuppression', inputs)
  return m.add('Squeeze', [m.add('Gather', [selected, m.ints([2])], { axis: 1 }), m.ints([1])])
}

/** `torch.nn.functional.pad` by what is missing of a fixed number of rows. */
function paddedRows(m: ModelBuilder, x: string, to: number, width: number): string {
  const missing = m.add('Sub', [scalar(m, to), size(m, x, 0)])
  const amounts = m.add('Concat', [m.ints([0, 0, 0]), listed(m, missing)], { axis: 0 })
  // Last axis first, begin and end; ONNX wants all begins in front.
  const pairs = m.add('Reshape', [amounts, m.ints([-1, 2])])
  const turned = m.add('Slice', [pairs, m.ints([-1]), m.ints([-(2 ** 62)]), m.ints([0]), m.ints([-1])])
  const pads = m.add('Reshape', [m.add('Transpose', [turned], { perm: [1, 0] }), m.ints([-1])])
  return m.add('Reshape', [m.add('Pad', [x, m.add('Cast', [pads], { to: 7 })]), m.ints([to, width])])
}

/** Ultralytics' with suppression inside: boxes of classes moved apart, at most 12 rows of each image, zeros behind them. */
function yolo(batch: number, limited: boolean): Make {
  return m => {
    const [classes, most] = [5, 12]
    const { map, gate } = network(m, 4 + classes, batch)
    const boxes = boxesOf(m, columns(m, map, 0, 4, 1), 1)
    const scores = m.add('Mul', [m.add('Sigmoid', [columns(m, map, 4, 4 + classes, 1)]), gate])
    const turned = m.add('Transpose', [m.add('Concat', [boxes, scores], { axis: 1 })], { perm: [0, 2, 1] })
    const [allBoxes, allScores] = m.addMany('Split', [turned, m.ints([4, classes])], 2, { axis: 2 })
    const best = m.add('ReduceMax', [allScores], { axes: [-1], keepdims: 0 })
    const names = m.add('ArgMax', [allScores], { axis: -1, keepdims: 0 })
    const images = Array.from({ length: batch }, (_, i) => {
      let [box, score, name] = [allBoxes, best, names].map(all => rows(m, all, scalar(m, i)))
      if (limited) {
        // What is better than the limit goes on.
        const mask = m.add('Greater', [score, m.scalar(0.3)])
        ;[box, score, name] = [box, score, name].map(all => masked(m, all, mask))
      }
      const column = m.add('Reshape', [name, m.add('Concat', [listed(m, size(m, name, 0)), m.ints([1])], { axis: 0 })])
      const offsets = m.add('Mul', [expanded(m, m.add('Cast', [column], { to: 1 }), name, 4), m.scalar(20)])
      const apart = m.add('Add', [box, offsets])
      const kept = m.add('Slice', [
        suppressed(m, apart, score, 0.45, limited ? undefined : 0.3),
        m.ints([0]),
        m.ints([most]),
        m.ints([0])
      ])
      const wide = (x: string) => m.add('Reshape', [rows(m, x, kept), m.ints([-1, 1])])
      const found = m.add('Concat', [rows(m, box, kept), wide(score), m.add('Cast', [wide(name)], { to: 1 })], {
        axis: 1
      })
      return m.add('Unsqueeze', [paddedRows(m, found, most, 6), m.ints([0])])
    })
    const zeros = m.add('ConstantOfShape', [m.ints([batch, most, 6])], fixed('float32', 0))
    return images.reduce(
      (all, image, i) => m.add('ScatterND', [all, m.constant({ dtype: 'int64', dims: [1, 1], data: [i] }), image]),
      zeros
    )
  }
}

/** `x.expand(n, width)` of a column, of as many rows as `like` has. */
function expanded(m: ModelBuilder, column: string, like: string, width: number): string {
  const to = m.add('Concat', [listed(m, size(m, like, 0)), m.ints([width])], { axis: 0 })
  const ones = m.add('ConstantOfShape', [m.ints([2])], fixed('int64', 1))
  const minus = m.add('Mul', [ones, m.ints([-1])])
  return m.add('Expand', [column, m.add('Where', [m.add('Equal', [to, minus]), ones, to])])
}

/** `x[mask]`, as torch exports it. */
const masked = (m: ModelBuilder, x: string, mask: string) =>
  m.add('GatherND', [x, m.add('Transpose', [m.add('NonZero', [mask])], { perm: [1, 0] })])

/** As torch's scripted suppression is exported: nothing if there are no boxes. */
function guarded(m: ModelBuilder, boxes: string, suppress: (m: ModelBuilder) => string): string {
  const none = m.add('Equal', [m.add('ReduceProd', [m.add('Shape', [boxes])], { keepdims: 0 }), scalar(m, 0)])
  return m.add('If', [m.add('Cast', [none], { to: 9 })], {
    then_branch: m.branch(inner => inner.constant({ dtype: 'int64', dims: [0], data: [] })),
    else_branch: m.branch(suppress)
  })
}

/** torchvision's SSD: of each class the best above a limit, classes moved apart, the first of what is left. */
const torchvision =
  (isGuarded: boolean): Make =>
  m => {
    const [classes, most] = [4, 9]
    const { map, gate } = network(m, 4 + classes)
    const turned = m.add('Transpose', [map], { perm: [0, 2, 1] })
    const boxes = m.add('Squeeze', [boxesOf(m, columns(m, turned, 0, 4, 2), 2), m.ints([0])])
    const all = m.add('Mul', [m.add('Softmax', [columns(m, turned, 4, 4 + classes, 2)], { axis: 2 }), gate])
    const parts = Array.from({ length: classes - 1 }, (_, k) => {
      const scores = m.add('Gather', [m.add('Squeeze', [all, m.ints([0])]), scalar(m, k + 1)], { axis: 1 })
      const mask = m.add('Greater', [scores, m.scalar(0.2)])
      const [score, box] = [scores, boxes].map(x => masked(m, x, mask))
      const n = m.add('Concat', [m.ints([12]), listed(m, size(m, score, 0))], { axis: 0 })
      const k0 = m.add('Reshape', [m.add('ReduceMin', [n], { keepdims: 0 }), m.ints([-1])])
      const [best, places] = m.addMany('TopK', [score, k0], 2)
      const label = m.add('ConstantOfShape', [m.add('Shape', [best])], fixed('int64', k + 1))
      return [rows(m, box, places), best, label]
    })
    const [allBoxes, scores, labels] = [0, 1, 2].map(i =>
      m.add(
        'Concat',
        parts.map(part => part[i]),
        { axis: 0 }
      )
    )
    const apart = (inner: ModelBuilder) => {
      const largest = inner.add('ReduceMax', [allBoxes], { keepdims: 0 })
      const next = inner.add('Add', [largest, inner.scalar(1)])
      const offsets = inner.add('Mul', [inner.add('Cast', [labels], { to: 1 }), next])
      const moved = inner.add('Add', [allBoxes, inner.add('Unsqueeze', [offsets, inner.ints([1])])])
      return suppressed(inner, moved, scores, 0.45)
    }
    const kept = isGuarded ? guarded(m, allBoxes, apart) : apart(m)
    const keep = m.add('Slice', [kept, m.ints([0]), m.ints([most]), m.ints([0])])
    return [allBoxes, scores, labels].map(x => rows(m, x, keep))
  }

/** torchvision's Faster R-CNN behind its proposals: each region of the map of its size, through a head of two layers. */
const regions: Make = m => {
  const { map, gate } = network(m, 13)
  const features = m.add('Reshape', [columns(m, map, 5, 13, 1), m.ints([1, 8, 8, 8])])
  const maps = [features, m.add('MaxPool', [features], { kernel_shape: [2, 2], strides: [2, 2] })]
  const scores = m.add('Reshape', [m.add('Mul', [m.add('Sigmoid', [columns(m, map, 4, 5, 1)]), gate]), m.ints([64])])
  const turned = m.add('Transpose', [boxesOf(m, columns(m, map, 0, 4, 1), 1)], { perm: [0, 2, 1] })
  const mask = m.add('Greater', [scores, m.scalar(0.3)])
  const [boxes, best] = [m.add('Squeeze', [turned, m.ints([0])]), scores].map(x => masked(m, x, mask))
  const kept = guarded(m, boxes, inner => suppressed(inner, boxes, best, 0.6))
  const proposals = rows(m, boxes, m.add('Slice', [kept, m.ints([0]), m.ints([12]), m.ints([0])]))
  const [left, top, right, bottom] = [0, 1, 2, 3].map(at => m.add('Gather', [proposals, scalar(m, at)], { axis: 1 }))
  const area = m.add('Mul', [m.add('Sub', [right, left]), m.add('Sub', [bottom, top])])
  const levels = [m.add('Less', [area, m.scalar(6)]), m.add('GreaterOrEqual', [area, m.scalar(6)])]
  const shape = m.add('Concat', [listed(m, size(m, proposals, 0)), m.ints([8, 3, 3])], { axis: 0 })
  const pooled = levels.reduce(
    (all, level, i) => {
      const places = m.add('Squeeze', [m.add('NonZero', [level]), m.ints([0])])
      const own = rows(m, proposals, places)
      const images = m.add('ConstantOfShape', [listed(m, size(m, own, 0))], fixed('int64', 0))
      const settings = {
        output_height: 3,
        output_width: 3,
        sampling_ratio: i ? 2 : 0,
        spatial_scale: { float: 1 / (1 + i) }
      }
      const parts = m.add('RoiAlign', [maps[i], own, images], settings)
      const wide = m.add('Expand', [m.add('Reshape', [places, m.ints([-1, 1, 1, 1])]), m.add('Shape', [parts])])
      return m.add('ScatterElements', [all, wide, parts], { axis: 0 })
    },
    m.add('ConstantOfShape', [shape], fixed('float32', 0))
  )
  const layer = (x: string, from: number, to: number) =>
    m.add('Gemm', [x, m.weights([to, from], [-0.3, 0.3]), m.weights([to])], { transB: 1 })
  const hidden = m.add('Relu', [layer(m.add('Flatten', [pooled]), 72, 16)])
  const conv = m.add('Conv', [pooled, m.weights([4, 8, 3, 3], [-0.2, 0.2]), m.weights([4])], { pads: [1, 1, 1, 1] })
  return [m.add('Softmax', [layer(hidden, 16, 5)], { axis: -1 }), m.add('Sigmoid', [conv]), proposals]
}

/** TensorFlow's SSD: suppression of each class, all classes joined, sorted, clipped to 10 and padded; and their number. */
const ssd: Make = m => {
  const [classes, most] = [3, 10]
  const { map, gate } = network(m, 4 + classes + 1)
  const turned = m.add('Transpose', [map], { perm: [0, 2, 1] })
  const boxes = m.add('Squeeze', [boxesOf(m, columns(m, turned, 0, 4, 2), 2), m.ints([0])])
  const scores = m.add('Mul', [
    m.add('Softmax', [columns(m, turned, 4, 5 + classes, 2)], { axis: 2 }),
    m.add('Mul', [gate, m.scalar(1.5)])
  ])
  const parts = Array.from({ length: classes }, (_, k) => {
    const score = m.add('Squeeze', [columns(m, scores, k + 1, k + 2, 2), m.ints([0, 2])])
    const limits = [m.ints([8]), m.scalar(0.4), m.scalar(0.35)]
    const selected = m.add('NonMaxSuppression', [
      listed(m, boxes),
      m.add('Unsqueeze', [score, m.ints([0, 1])]),
      ...limits
    ])
    const keep = m.add('Squeeze', [columns(m, selected, 2, 3, 1), m.ints([1])])
    const best = rows(m, score, keep)
    const zeros = m.add('ConstantOfShape', [m.add('Shape', [best])], fixed('float32', 0))
    return [rows(m, boxes, keep), best, m.add('Add', [zeros, m.scalar(k)])]
  })
  const [allBoxes, allScores, allNames] = [0, 1, 2].map(i =>
    m.add(
      'Concat',
      parts.map(part => part[i]),
      { axis: 0 }
    )
  )
  const [, order] = m.addMany('TopK', [allScores, m.add('Shape', [allScores])], 2)
  const wanted = m.add('Min', [m.add('Shape', [allScores]), m.ints([most])])
  const clipped = (x: string) => m.add('Slice', [rows(m, x, order), m.ints([0]), wanted, m.ints([0])])
  const missing = m.add('Sub', [m.ints([most]), wanted])
  const [b, s, n] = [allBoxes, allScores, allNames].map(clipped)
  return [
    listed(m, m.add('Pad', [b, m.add('Concat', [m.ints([0, 0]), missing, m.ints([0])], { axis: 0 })])),
    ...[s, n].map(x => listed(m, m.add('Pad', [x, m.add('Concat', [m.ints([0]), missing], { axis: 0 })]))),
    m.add('Cast', [wanted], { to: 1 })
  ]
}

/** Its newer form: each class's indices filled up to a fixed number, and masked by how many there are. */
const ssdFilled: Make = m => {
  const [classes, each] = [3, 6]
  const { map, gate } = network(m, 4 + classes)
  const boxes = m.add('Transpose', [m.add('Squeeze', [boxesOf(m, columns(m, map, 0, 4, 1), 1), m.ints([0])])], {
    perm: [1, 0]
  })
  const scores = m.add('Mul', [m.add('Sigmoid', [columns(m, map, 4, 4 + classes, 1)]), gate])
  const places = m.constant({ dtype: 'int64', dims: [each], data: Array.from({ length: each }, (_, i) => i) })
  const parts = Array.from({ length: classes }, (_, k) => {
    const score = m.add('Squeeze', [columns(m, scores, k, k + 1, 1), m.ints([0, 1])])
    const limits = [m.ints([each]), m.scalar(0.4), m.scalar(0.35)]
    const selected = m.add('NonMaxSuppression', [
      listed(m, boxes),
      m.add('Unsqueeze', [score, m.ints([0, 1])]),
      ...limits
    ])
    const keep = m.add('Squeeze', [columns(m, selected, 2, 3, 1), m.ints([1])])
    const found = m.add('Shape', [keep])
    const zeros = m.add('ConstantOfShape', [m.add('Sub', [m.ints([each]), found])], fixed('int64', 0))
    const filled = m.add('Concat', [keep, zeros], { axis: 0 })
    const best = m.add('Where', [m.add('Less', [places, found]), rows(m, score, filled), m.scalar(-1)])
    return [rows(m, boxes, filled), best]
  })
  const [allBoxes, allScores] = [0, 1].map(i =>
    m.add(
      'Concat',
      parts.map(part => part[i]),
      { axis: 0 }
    )
  )
  const [best, order] = m.addMany('TopK', [allScores, m.ints([10])], 2)
  const valid = m.add('Cast', [m.add('Greater', [best, m.scalar(0)])], { to: 1 })
  const clean = m.add('Mul', [rows(m, allBoxes, order), m.add('Unsqueeze', [valid, m.ints([1])])])
  return [clean, m.add('Mul', [best, valid]), m.add('ReduceSum', [valid], { keepdims: 0 })]
}

/** mmdeploy's: rows with a score, one of nothing behind them, the best of these. */
const mmdeploy: Make = m => {
  const { map, gate } = network(m, 5)
  const boxes = boxesOf(m, columns(m, map, 0, 4, 1), 1)
  const scores = m.add('Mul', [m.add('Sigmoid', [columns(m, map, 4, 5, 1)]), gate])
  const turned = m.add('Transpose', [boxes], { perm: [0, 2, 1] })
  const selected = m.add('NonMaxSuppression', [turned, scores, m.ints([9]), m.scalar(0.5), m.scalar(0.3)])
  const [image, name, place] = [0, 1, 2].map(at => m.add('Gather', [selected, scalar(m, at)], { axis: 1 }))
  const score = rows(m, m.add('Reshape', [scores, m.ints([-1])]), place)
  const found = rows(m, m.add('Reshape', [turned, m.ints([-1, 4])]), place)
  const dets = listed(m, m.add('Concat', [found, m.add('Unsqueeze', [score, m.ints([1])])], { axis: 1 }))
  const own = m.add('Equal', [
    image,
    m.add('Unsqueeze', [m.constant({ dtype: 'int64', dims: [1], data: [0] }), m.ints([1])])
  ])
  const masked = m.add('Where', [m.add('Unsqueeze', [own, m.ints([2])]), dets, m.scalar(0)])
  const nothing = m.add('ConstantOfShape', [m.ints([1, 1, 5])], fixed('float32', 0))
  const all = m.add('Concat', [masked, nothing], { axis: 1 })
  const names = m.add('Concat', [listed(m, name), m.constant({ dtype: 'int64', dims: [1, 1], data: [-1] })], {
    axis: 1
  })
  const last = m.add('Squeeze', [columns(m, all, 4, 5, 2), m.ints([2])])
  const k = m.add('Min', [m.ints([20]), listed(m, size(m, all, 1))])
  const [, order] = m.addMany('TopK', [last, k], 2, { axis: 1 })
  const flat = m.add('Reshape', [order, m.ints([-1])])
  return [m.add('Gather', [all, flat], { axis: 1 }), m.add('Gather', [names, flat], { axis: 1 })]
}

export const detectors: Readonly<Record<string, Make>> = {
  'a YOLOv8 of one image, with suppression inside': yolo(1, false),
  'a YOLOv8 of two images, whose boxes are only those above a limit': yolo(2, true),
  "torchvision's SSD": torchvision(false),
  "torchvision's SSD, which asks whether there are boxes": torchvision(true),
  "torchvision's Faster R-CNN behind its proposals": regions,
  "TensorFlow's SSD, clipped and padded": ssd,
  "TensorFlow's SSD, filled up class by class": ssdFilled,
  "mmdeploy's, with a row of nothing": mmdeploy
}
