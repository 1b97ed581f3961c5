// What the page makes of a model's outputs: right where shapes, numbers and names speak for it, and plain numbers elsewhere.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { baseSeed, Random } from './support/random.js'
import { PlainImageData, webModule } from './support/web-module.js'

interface Output {
  readonly name: string
  readonly type: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly score: number
  readonly index: number
  readonly points?: readonly { readonly x: number; readonly y: number }[]
}

interface Finding {
  readonly kind: string
  readonly of: readonly string[]
  readonly labels?: readonly string[]
  readonly caveat?: string
  readonly probabilities?: ArrayLike<number>
  readonly given?: string
  readonly boxes?: readonly Box[]
  readonly points?: readonly { readonly x: number; readonly y: number }[]
  readonly read?: { readonly text: string; readonly score: number }
  readonly classes?: number
  readonly best?: Uint16Array
  readonly values?: Float32Array
  readonly guess?: string
}

Object.assign(globalThis, { ImageData: PlainImageData })
const { interpret } = await webModule<{ interpret(outputs: readonly Output[], fed: object): Finding[] }>(
  'web/outputs/index.ts'
)

const test = suite(`what outputs mean (seed ${baseSeed})`)
let random: Random
test.before.each(({ __test__ }) => {
  random = new Random(__test__)
})

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

function output(
  dims: readonly number[],
  data: readonly number[] | ((i: number) => number),
  name = 'output',
  type = 'float32'
): Output {
  const numbers = typeof data === 'function' ? Float32Array.from({ length: product(dims) }, (_, i) => data(i)) : data
  assert.is(numbers.length, product(dims), 'the test gives as many numbers as the shape has')
  return { name, type, dims, data: Float32Array.from(numbers) }
}

interface Seen {
  readonly height?: number
  readonly width?: number
  readonly planes?: 0 | 1 | 3
  readonly name?: string
  readonly own?: readonly string[]
  readonly inFile?: readonly string[]
  readonly lists?: readonly (readonly string[])[]
  readonly classifiers?: ReadonlySet<string> | 'all'
}

function seen({ height = 224, width = 224, planes = 3, ...knowledge }: Seen = {}) {
  return {
    ...{ height, width, planes, channels: 'RGB', batch: 1 },
    knowledge: { name: 'model', lists: [], classifiers: new Set<string>(), ...knowledge }
  }
}

const only = (outputs: readonly Output[], fed?: Seen): Finding => {
  const findings = interpret(outputs, seen(fed))
  assert.is(findings.length, 1, findings.map(({ kind }) => kind).join())
  return findings[0]
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `name ${i}`)
const normal = () => random.uniform(-1, 1) + random.uniform(-1, 1) + random.uniform(-1, 1)

function shares(count: number): number[] {
  const powers = Array.from({ length: count }, () => Math.exp(3 * normal()))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

test('shares of one are classes, whatever the axes', () => {
  for (const dims of [[1, 7], [1, 7, 1, 1], [7], [1, 1, 1, 7]]) {
    const values = shares(7)
    const finding = only([output(dims, values)])
    assert.is(finding.kind, 'classes')
    assert.is(finding.given, 'shares')
    assert.equal([...Float32Array.from(finding.probabilities!)], [...Float32Array.from(values)])
    const logarithms = only([output(dims, values.map(Math.log))])
    assert.is(logarithms.given, 'logarithms')
    assert.ok(Array.from(logarithms.probabilities!).every((value, i) => Math.abs(value - values[i]) < 1e-5))
  }
})

test('scores are classes only if somebody knows of classes', () => {
  const scores = output([1, 12], () => 4 * normal())
  assert.is(only([scores]).kind, 'numbers')
  for (const fed of [
    { own: names(12) },
    { inFile: names(12) },
    { lists: [names(9), names(12)] },
    { classifiers: 'all' as const },
    { classifiers: new Set(['output']) }
  ]) {
    const finding = only([scores], fed)
    assert.is(finding.kind, 'classes')
    assert.is(finding.given, 'scores')
    const sum = Array.from(finding.probabilities!).reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum - 1) < 1e-6)
    assert.is(finding.labels?.length, 'classifiers' in fed ? undefined : 12)
  }
  assert.is(only([{ ...scores, name: 'class_logits' }]).kind, 'classes')
  assert.is(only([scores], { own: names(13) }).kind, 'numbers', 'labels of another length say nothing')
})

test('a share for each class alone is not made to sum to one', () => {
  const finding = only([output([1, 14], () => random.uniform(0.3, 0.9))], { own: names(14) })
  assert.is(finding.given, 'independent')
  assert.ok(Array.from(finding.probabilities!).reduce((a, b) => a + b, 0) > 3)
})

test('embeddings, ages and angles get no bars', () => {
  for (const count of [128, 256, 512, 1024]) {
    const values = Array.from({ length: count }, normal)
    const length = Math.hypot(...values)
    const unit = only([
      output(
        [1, count],
        values.map(value => value / length)
      )
    ])
    assert.is(unit.kind, 'numbers')
    assert.match(unit.guess!, /embedding/)
    const plain = only([output([1, count], values)])
    assert.is(plain.kind, 'numbers')
    assert.match(plain.guess!, /features/)
  }
  // As many as ImageNet has classes, but of length 1.
  const values = Array.from({ length: 1000 }, normal)
  const length = Math.hypot(...values)
  const list = { lists: [names(1000)] }
  assert.is(
    only(
      [
        output(
          [1, 1000],
          values.map(value => value / length)
        )
      ],
      list
    ).kind,
    'numbers'
  )
  assert.is(only([output([1, 1000], values)], list).kind, 'classes')
  assert.is(only([output([5, 12], normal)], { own: names(12) }).kind, 'numbers', 'five rows for one picture')
  assert.is(only([output([1, 1], [27.4])]).kind, 'numbers')
  assert.is(only([output([1, 3], [-1.5, 22, 8])]).kind, 'numbers')
})

test('MNIST’s digits have names, with a word of caution where only the shape speaks for them', () => {
  const scores = output([1, 10], () => 5 * normal(), 'Plus214_Output_0')
  const digits = only([scores], { height: 28, width: 28, planes: 1 })
  assert.equal(digits.labels, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  assert.match(digits.caveat!, /MNIST/)
  assert.is(only([scores], { height: 28, width: 28, planes: 1, name: 'mnist-12' }).caveat, undefined)
  assert.is(only([scores], { height: 28, width: 28, planes: 1, name: 'fashion-mnist' }).labels?.[8], 'bag')
  assert.is(
    only([scores], { height: 32, width: 32 }).kind,
    'numbers',
    'ten numbers of a colour picture may be anything'
  )
  assert.is(only([scores], { height: 32, width: 32, name: 'resnet20-cifar10' }).labels?.[3], 'cat')
})

test('several outputs are all told of, and what is said twice once', () => {
  const logits = Array.from({ length: 5 }, () => 3 * normal())
  const powers = logits.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  const both = interpret(
    [
      output([1, 5], logits, 'logits'),
      output(
        [1, 5],
        powers.map(power => power / sum),
        'probabilities'
      ),
      output([1, 512], normal, 'embedding'),
      output([1, 1], [31.5], 'age')
    ],
    seen({ inFile: names(5) })
  )
  assert.equal(
    both.map(({ kind, of }) => [kind, of[0]]),
    [
      ['classes', 'logits'],
      ['numbers', 'probabilities'],
      ['numbers', 'embedding'],
      ['numbers', 'age']
    ]
  )
  assert.match(both[1].guess!, /says the same as logits/)
})

test('landmarks are points if they lie on the picture', () => {
  const places = Array.from({ length: 68 }, () => [random.uniform(20, 200), random.uniform(20, 200)])
  for (const dims of [
    [1, 136],
    [1, 68, 2],
    [1, 1, 68, 2]
  ]) {
    const { kind, points } = only([output(dims, places.flat())])
    assert.is(kind, 'points')
    assert.ok(Math.abs(points![3].x - places[3][0] / 224) < 1e-6 && Math.abs(points![3].y - places[3][1] / 224) < 1e-6)
  }
  const shared = only([output([1, 212], () => random.uniform(0.1, 0.9))])
  assert.is(shared.points?.length, 106)
  const third = only([output([1, 468, 3], i => (i % 3 === 2 ? normal() * 20 : random.uniform(10, 210)))])
  assert.is(third.points?.length, 468)
  assert.is(only([output([1, 136], normal)]).kind, 'numbers', 'numbers of both signs are no places')
  assert.is(only([output([1, 136], () => random.uniform(0, 2000))]).kind, 'numbers', 'places beyond the picture')
  assert.is(only([output([1, 300], () => random.uniform(10, 200))]).kind, 'numbers', 'as many points no model has')
})

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

const transposed = (columns: readonly number[][]) => columns[0].map((_, row) => columns.map(column => column[row]))

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

/** Steps of a recogniser that writes the text, with repetitions and blanks as they come. */
function written(text: string, alphabet: readonly string[], signs: number, blank: number): number[][] {
  const before = blank === 0 ? 1 : 0
  const steps = [...text].flatMap(sign => {
    const index = sign === ' ' && !alphabet.includes(' ') ? signs - 1 : alphabet.indexOf(sign) + before
    return [...new Array(random.int(1, 3)).fill(index), ...new Array(random.int(1, 3)).fill(blank)]
  })
  return steps.map(index => {
    const row = shares(signs).map(share => share * 0.2)
    row[index] += 0.8
    return row
  })
}

test('writing is read with its alphabet, blank first or last', () => {
  const alphabet = [...'abcdefghijklmnopqrstuvwxyz']
  const said = 'hello all'
  for (const [signs, blank, lines] of [
    [28, 0, alphabet],
    [28, 0, [...alphabet, ' ']],
    [28, 27, [...alphabet, ' ']],
    [28, 0, ['blank', ...alphabet, ' ']]
  ] as const) {
    const known = lines.filter(line => line !== 'blank')
    const rows = written(said, known, signs, blank)
    for (const dims of [
      [1, rows.length, signs],
      [rows.length, 1, signs]
    ]) {
      const finding = only([output(dims, rows.flat())], { own: lines, height: 48, width: 320 })
      assert.is(finding.kind, 'text')
      assert.is(finding.read?.text, said)
      assert.ok(finding.read!.score > 0.8 && finding.read!.score <= 1)
    }
  }
  const rows = written(said, alphabet, 28, 0)
  const unread = only([output([1, rows.length, 28], rows.flat())])
  assert.is(unread.kind, 'text')
  assert.is(unread.read, undefined, 'without its alphabet')
  const wrong = only([output([1, rows.length, 28], rows.flat())], { own: names(10) })
  assert.is(wrong.read, undefined, 'with another')
})

test('maps are classes, masks and pictures only where they look like that', () => {
  const [height, width] = [96, 128]
  const fed = { height, width }
  const map = (channels: number, value: (i: number) => number, scale = 1) =>
    output([1, channels, height * scale, width * scale], value)
  assert.is(only([map(21, normal, 0.25)], fed).kind, 'map')
  assert.is(only([map(12, normal)], fed).kind, 'map', 'of the input’s own size')
  assert.is(only([map(17, normal, 0.25)], fed).kind, 'planes', 'heat maps')
  assert.is(only([map(64, normal, 0.125)], fed).kind, 'planes', 'features')
  assert.is(only([map(17, normal, 0.25)], { ...fed, own: names(17) }).kind, 'map')
  assert.is(only([map(1, () => random.uniform(0, 1))], fed).kind, 'mask')
  assert.is(only([map(1, normal)], fed).kind, 'mask')
  assert.is(only([map(1, () => random.uniform(3, 80))], fed).kind, 'planes', 'depths are no mask')
  assert.is(only([output([1, height, width], () => random.uniform(3, 80))], fed).kind, 'planes')
  assert.is(only([map(3, () => random.uniform(0, 255))], fed).kind, 'image')
  assert.is(only([map(3, () => random.uniform(-1, 1))], fed).kind, 'image')
  assert.is(only([map(1, () => random.uniform(0, 1), 3)], fed).kind, 'image')
  const pixels = Array.from({ length: height * width }, () => shares(3))
  assert.is(only([output([1, 3, height, width], transposed(pixels).flat())], fed).kind, 'map', 'shares at each pixel')
  assert.is(only([map(3, () => 12 * normal(), 0.25)], fed).kind, 'planes', 'three maps of large numbers')
})

test('nothing throws, and nothing is left out, whatever the shape', () => {
  for (let i = 0; i < 300; i++) {
    const outputs = Array.from({ length: random.int(1, 4) }, (_, at) => {
      const dims = Array.from(
        { length: random.int(0, 5) },
        () => [0, 1, 1, 2, 3, 4, 5, 6, 7, 10, 21, 40][random.int(0, 11)]
      )
      const values = [normal, () => random.uniform(0, 1), () => random.int(0, 9), () => Number.NaN][random.int(0, 3)]
      return output(dims, values, `output ${at}`, ['float32', 'int64', 'bool'][random.int(0, 2)])
    })
    const fed = { height: [1, 28, 40][random.int(0, 2)], planes: [0, 1, 3][random.int(0, 2)] as 0 | 1 | 3 }
    const findings = interpret(outputs, seen({ width: fed.height, ...fed }))
    assert.equal(findings.flatMap(({ of }) => of).sort(), outputs.map(({ name }) => name).sort())
  }
})

test.run()
