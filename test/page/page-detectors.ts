// What the page makes of the outputs of detectors: every order of columns and every way to split them that exporters write.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Box,
  interpret,
  names,
  normalOf,
  only,
  output,
  seen,
  sharesOf,
  transposed
} from '../support/browser/findings.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`detectors’ outputs in the page (seed ${baseSeed})`)
let random: Random
test.before.each(({ __test__ }) => {
  random = new Random(__test__)
})

const normal = () => normalOf(random)
const shares = (count: number) => sharesOf(random, count)

/** Boxes that do not overlap, in pixels of a picture of that size. */
function someBoxes(count: number, height: number, width: number, classes: number) {
  return Array.from({ length: count }, (_, i) => {
    const [wide, high] = [width / count, height / 2]
    const left = i * wide + random.uniform(0.05, 0.2) * wide
    const top = random.uniform(0.05, 0.9) * high
    const right = left + random.uniform(0.4, 0.7) * wide
    const bottom = top + random.uniform(0.4, 0.9) * high
    return { left, top, right, bottom, index: random.int(0, classes - 1), score: 0.95 - i * 0.1 }
  })
}

function sameBoxes(found: readonly Box[] | undefined, given: readonly Box[], height: number, width: number): void {
  assert.is(found?.length, given.length)
  given.forEach((box, i) => {
    const { left, top, right, bottom, score, index } = found![i]
    const pixels = [left * width, top * height, right * width, bottom * height]
    pixels.forEach((value, side) =>
      assert.ok(Math.abs(value - [box.left, box.top, box.right, box.bottom][side]) < 0.05, `box ${i}, side ${side}`)
    )
    assert.ok(Math.abs(score - box.score) < 1e-5)
    assert.is(index, box.index)
  })
}

test('rows behind NonMaxSuppression are boxes, in every order of columns', () => {
  const [height, width] = [384, 640]
  const boxes = someBoxes(5, height, width, 20)
  const seven = boxes.map(b => [0, b.left, b.top, b.right, b.bottom, b.index, b.score])
  const caffe = boxes.map(b => [
    0,
    b.index,
    b.score,
    b.left / width,
    b.top / height,
    b.right / width,
    b.bottom / height
  ])
  const six = boxes.map(b => [b.left, b.top, b.right, b.bottom, b.score, b.index])
  const classFirst = boxes.map(b => [b.index, b.score, b.left, b.top, b.right, b.bottom])
  const fill = new Array(295).fill([0, 0, 0, 0, 0, 0])
  for (const [dims, rows] of [
    [[5, 7], seven],
    [[1, 5, 7], seven],
    [[1, 1, 5, 7], caffe],
    [[5, 6], six],
    [
      [1, 300, 6],
      [...six, ...fill]
    ],
    [[5, 6], classFirst]
  ] as const) {
    const finding = only([output(dims, rows.flat())], { height, width })
    assert.is(finding.kind, 'boxes', dims.join())
    sameBoxes(finding.boxes, boxes, height, width)
    assert.is(finding.labels, undefined, 'nobody says what the classes are')
  }
  // One box alone looks like a vector of seven: it was shown as "class 2, 100.0 %".
  sameBoxes(only([output([1, 7], seven[0])], { height, width }).boxes, boxes.slice(0, 1), height, width)
  const named = only([output([5, 7], seven.flat())], { height, width, inFile: names(20) })
  assert.is(named.labels?.[boxes[0].index], `name ${boxes[0].index}`)
  assert.is(only([output([5, 6], six.flat())], { height, width, name: 'yolov10n' }).labels?.[0], 'person')
  // Of a second picture of the batch nothing is shown.
  const second = seven.map(([, ...rest], i) => [i % 2, ...rest])
  assert.is(only([output([5, 7], second.flat())], { height, width }).boxes?.length, 3)
  assert.equal(only([output([0, 7], [])], { height, width }).boxes, [])
  assert.equal(only([output([1, 300, 6], () => 0)], { height, width }).boxes, [])
  assert.is(only([output([5, 7], normal)], { height, width }).kind, 'numbers', 'rows of anything else are numbers')
  assert.is(only([output([1, 6], shares(6))], { height, width }).kind, 'classes')
})

test('boxes, scores and classes in outputs of their own', () => {
  const [height, width] = [320, 320]
  const boxes = someBoxes(4, height, width, 90)
  const corners = boxes.flatMap(b => [b.left, b.top, b.right, b.bottom])
  const scores = boxes.map(({ score }) => score)
  const labels = boxes.map(({ index }) => index)
  const torchvision = [
    output([4, 4], corners, '3077'),
    output([4], labels, '3079', 'int64'),
    output([4], scores, '3078')
  ]
  sameBoxes(only(torchvision, { height, width }).boxes, boxes, height, width)
  const filled = (values: readonly number[], to: number) => [...values, ...new Array(to - values.length).fill(0)]
  const tensorrt = [
    output([1, 1], [4], 'num_dets', 'int32'),
    output([1, 100, 4], filled(corners, 400), 'det_boxes'),
    output([1, 100], filled(scores, 100), 'det_scores'),
    output([1, 100], filled(labels, 100), 'det_classes', 'int32')
  ]
  sameBoxes(only(tensorrt, { height, width }).boxes, boxes, height, width)
  const shared = boxes.flatMap(b => [b.top / height, b.left / width, b.bottom / height, b.right / width])
  const tensorflow = [
    output([1, 100, 4], filled(shared, 400), 'detection_boxes'),
    output([1, 100], filled(labels, 100), 'detection_classes'),
    output([1, 100], filled(scores, 100), 'detection_scores'),
    output([1], [4], 'num_detections')
  ]
  const found = only(tensorflow, { height, width, name: 'ssd_mobilenet_v1_coco' })
  sameBoxes(found.boxes, boxes, height, width)
  assert.is(found.labels?.[90], 'toothbrush')
  assert.is(found.labels?.[1], 'person')
})

test('NonMaxSuppression’s own choice with what it chose from', () => {
  const [height, width] = [256, 512]
  const boxes = someBoxes(3, height, width, 6)
  const corners = Array.from({ length: 40 }, (_, i) => {
    const box = boxes[[7, 21, 33].indexOf(i)]
    return box ? [box.left, box.top, box.right, box.bottom] : [5, 5, 60, 60]
  })
  const scores = Array.from({ length: 6 * 40 }, () => random.uniform(0, 0.04))
  boxes.forEach(({ index, score }, i) => {
    scores[index * 40 + [7, 21, 33][i]] = score
  })
  const chosen = boxes.flatMap(({ index }, i) => [0, index, [7, 21, 33][i]])
  const outputs = [
    output([1, 40, 4], corners.flat(), 'boxes'),
    output([1, 6, 40], scores, 'scores'),
    output([3, 3], chosen, 'selected', 'int64')
  ]
  sameBoxes(only(outputs, { height, width }).boxes, boxes, height, width)
  const alone = only([outputs[2]], { height, width })
  assert.is(alone.kind, 'numbers')
  assert.match(alone.guess!, /picture, class and box/)
})

/** YOLO's table of candidates, [columns][N], with the given boxes in some of its cells. */
function candidates(boxes: readonly Box[], cells: number, classes: number, more = 0): number[][] {
  const columns = Array.from({ length: 4 + classes + more }, (_, column) =>
    Array.from({ length: cells }, () => (column < 4 ? random.uniform(20, 60) : random.uniform(0, 0.03)))
  )
  boxes.forEach((box, i) => {
    const cell = 11 + i * 17
    columns[0][cell] = (box.left + box.right) / 2
    columns[1][cell] = (box.top + box.bottom) / 2
    columns[2][cell] = box.right - box.left
    columns[3][cell] = box.bottom - box.top
    columns[4 + box.index][cell] = box.score
  })
  return columns
}

test('YOLOv8 and its successors write columns without an objectness', () => {
  const [height, width] = [192, 256]
  const cells = [8, 16, 32].reduce((sum, stride) => sum + (height / stride) * (width / stride), 0)
  for (const classes of [80, 3, 1]) {
    const boxes = someBoxes(4, height, width, classes)
    const columns = candidates(boxes, cells, classes)
    const found = only([output([1, 4 + classes, cells], columns.flat())], { height, width })
    sameBoxes(found.boxes, boxes, height, width)
    assert.is(found.classes, classes)
    assert.is(found.labels?.[0], classes === 80 ? 'person' : undefined)
  }
  const boxes = someBoxes(4, height, width, 80)
  const rows = transposed(candidates(boxes, cells, 80))
  sameBoxes(only([output([1, cells, 84], rows.flat())], { height, width }).boxes, boxes, height, width)
  // Masks: 32 coefficients behind the classes, and 32 maps.
  const masked = [...candidates(boxes, cells, 80), ...Array.from({ length: 32 }, () => rows.map(normal))]
  const [segmented, maps] = interpret(
    [output([1, 116, cells], masked.flat(), 'output0'), output([1, 32, 48, 64], normal, 'output1')],
    seen({ height, width })
  )
  sameBoxes(segmented.boxes, boxes, height, width)
  assert.is(maps.kind, 'planes')
  // Bodies: one class, and 17 places with how sure they are.
  const bodies = someBoxes(2, height, width, 1)
  const places = Array.from({ length: 51 }, (_, i) =>
    rows.map(() => (i % 3 === 2 ? random.uniform(0.6, 1) : random.uniform(0, 190)))
  )
  const posed = only([output([1, 56, cells], [...candidates(bodies, cells, 1), ...places].flat())], { height, width })
  sameBoxes(posed.boxes, bodies, height, width)
  assert.is(posed.boxes![0].points?.length, 17)
  assert.ok(Math.abs(posed.boxes![0].points![2].x * width - places[6][11]) < 1e-3)
})

test('YOLOv5’s rows and YOLOX’s cells have an objectness', () => {
  const [height, width] = [96, 160]
  const grid = [8, 16, 32].flatMap(stride => {
    const [high, wide] = [height / stride, width / stride]
    return Array.from({ length: high * wide }, (_, i) => ({ x: i % wide, y: Math.floor(i / wide), stride }))
  })
  const boxes = someBoxes(3, height, width, 9)
  const withObject = (columns: number[][]) => [
    ...columns.slice(0, 4),
    columns[0].map((_, cell) => (boxes[(cell - 11) / 17] ? 1 : 0.01)),
    ...columns.slice(4)
  ]
  const rows = transposed(withObject(candidates(boxes, grid.length * 3, 9)))
  sameBoxes(only([output([1, rows.length, 14], rows.flat())], { height, width }).boxes, boxes, height, width)
  const raw = transposed(withObject(candidates(boxes, grid.length, 9))).map(([x, y, wide, high, ...rest], cell) => {
    const { stride, x: left, y: top } = grid[cell]
    return [x / stride - left, y / stride - top, Math.log(wide / stride), Math.log(high / stride), ...rest]
  })
  sameBoxes(only([output([1, raw.length, 14], raw.flat())], { height, width }).boxes, boxes, height, width)
})

test('boxes and scores in front of NonMaxSuppression, with a background or without', () => {
  const [height, width] = [300, 300]
  const boxes = someBoxes(4, height, width, 5)
  const count = 60
  const all = Array.from(
    { length: count },
    (_, i) => boxes[i - 20] ?? { left: 2, top: 2, right: 9, bottom: 9, score: 0.01, index: 0 }
  )
  const corners = all.flatMap(b => [b.left / width, b.top / height, b.right / width, b.bottom / height])
  const centred = all.flatMap(b => [
    (b.left + b.right) / 2 / width,
    (b.top + b.bottom) / 2 / height,
    (b.right - b.left) / width,
    (b.bottom - b.top) / height
  ])
  const scores = all.map(({ score, index }) => Array.from({ length: 5 }, (_, c) => (c === index ? score : 0)))
  const background = scores.map(row => [1 - row.reduce((a, b) => a + b, 0), ...row])
  for (const outputs of [
    [output([1, count, 6], background.flat(), 'scores'), output([1, count, 4], corners, 'boxes')],
    [output([1, count, 4], corners, 'boxes'), output([1, count, 5], scores.flat(), 'scores')],
    [output([1, count, 4], corners, 'boxes'), output([1, 5, count], transposed(scores).flat(), 'scores')]
  ])
    sameBoxes(only(outputs, { height, width }).boxes, boxes, height, width)
  // DETR: scores of the classes and of nothing, centres.
  const detr = all.map(({ score, index }) => [
    ...Array.from({ length: 5 }, (_, c) => Math.log(c === index ? score : 1e-9)),
    Math.log(1 - score)
  ])
  const found = only([output([1, count, 6], detr.flat(), 'logits'), output([1, count, 4], centred, 'pred_boxes')], {
    ...{ height, width },
    inFile: names(5)
  })
  sameBoxes(found.boxes, boxes, height, width)
  // Offsets from anchors, which nobody has decoded.
  const raw = interpret([output([1, count, 4], normal, 'loc'), output([1, count, 6], normal, 'conf')], seen())
  assert.equal(
    raw.map(({ kind }) => kind),
    ['numbers', 'numbers']
  )
})

test.run()
