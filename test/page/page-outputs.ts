// What the page makes of a model's outputs: right where shapes, numbers and names speak for it, and plain numbers elsewhere.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { softmax } from '../../runtime/index.js'
import { interpret, names, normalOf, only, output, seen, sharesOf, transposed } from '../support/browser/findings.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`what outputs mean (seed ${baseSeed})`)
let random: Random
test.before.each(({ __test__ }) => {
  random = new Random(__test__)
})

const normal = () => normalOf(random)
const shares = (count: number) => sharesOf(random, count)

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
  // The first is no place on a picture: the ten are no points.
  const scores = output([1, 10], i => (i ? 5 * normal() : -2 - random.uniform(0, 5)), 'Plus214_Output_0')
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
  // No logarithms of shares: one is above 0; nor shares.
  const logits = Array.from({ length: 5 }, (_, i) => (i ? 3 * normal() : 1.5 + random.uniform(0, 2)))
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
  // Scores that happen to sum to one, too.
  const scores = shares(3)
  const likely = interpret(
    [output([1, 3], [...softmax(scores)], 'probabilities'), output([1, 3], scores, 'logits')],
    seen({})
  )
  assert.match((likely[1] as (typeof both)[1]).guess!, /says the same as probabilities/)
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
