// The page and the curves of `cairn train`: they stand alone, show what they were given, and bear any name and number.

import type { Browser } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { curvesSvg, type EpochRecord, type TrainReport, trainReport } from '../../cli/train/train-report.js'
import { launchChromium } from '../support/browser/chromium.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const random = new Random('train report')
const nasty = `<script>alert("x")</script> & 'Ümlaut' </style><img src=http://example.com/x onerror=alert(1)>`

function epochsOf(count: number): EpochRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    epoch: i + 1,
    trainLoss: 2.3 * Math.exp(-i / 20) + 0.01,
    trainAccuracy: 1 - 0.9 * Math.exp(-i / 20),
    validationLoss: 2.3 * Math.exp(-i / 20) + 0.2,
    validationAccuracy: 0.9 - 0.8 * Math.exp(-i / 20),
    learningRate: 0.05 * (1 + Math.cos((Math.PI * i) / count)),
    gradientNorm: 3 * Math.exp(-i / 20),
    seconds: 1.25
  }))
}

function png(width: number, height: number): Uint8Array {
  const picture = new PNG({ width, height })
  picture.data.forEach((_, i) => (picture.data[i] = i % 4 === 3 ? 255 : random.int(0, 255)))
  return PNG.sync.write(picture)
}

function reportOf(classes: readonly string[], more: Partial<TrainReport> = {}): TrainReport {
  return {
    title: 'resnet18 on flowers',
    facts: [['epochs', '30']],
    classes,
    epochs: epochsOf(30),
    bestEpoch: 21,
    confusion: classes.map((_, truth) => classes.map((_, said) => (truth === said ? 1000 + truth : 0))),
    pictures: [{ title: 'Filters', caption: 'of the first layer', png: png(8, 8) }],
    mistakes: [{ png: png(32, 32), truth: classes[0], said: classes[1], probability: 0.75 }],
    warnings: ['few pictures'],
    ...more
  }
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `class${i}`)

const voids = ['meta', 'img']

/** Every element is closed in its place; attributes are quoted, and no text holds a bare angle. */
function assertWellFormed(text: string): void {
  const open: string[] = []
  const tag = /<(\/?)([a-z]\w*)((?:\s+[a-z][\w-]*="[^"<]*")*)\s*(\/?)>|<!doctype html>/gi
  assert.not.match(text.replace(/<style>[^<]*<\/style>/g, '').replace(tag, ''), /[<>]/)
  for (const [, close, name, attributes, single] of text.matchAll(tag)) {
    if (!name) continue
    const keys = [...attributes.matchAll(/([\w-]+)="/g)].map(match => match[1])
    assert.is(new Set(keys).size, keys.length, `<${name}${attributes}>`)
    if (close) assert.is(open.pop(), name)
    else if (!single && !voids.includes(name)) open.push(name)
  }
  assert.equal(open, [])
}

function assertAlone(text: string): void {
  assert.not.match(text, /<script|<link|<iframe|@import|\burl\(|\son\w+=/i)
  assert.not.match(text.replaceAll('xmlns="http://www.w3.org/2000/svg"', ''), /="\s*(https?:)?\/\//)
  for (const [, source] of text.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(source, /^data:image\/png;base64,/)
}

const paths = (svg: string) => [...svg.matchAll(/<path class="(\w+)" d="([^"]*)"/g)].map(([, name, d]) => ({ name, d }))

const test = suite('train report')

test('is one well-formed page that loads and runs nothing', () => {
  const page = trainReport(reportOf(names(10)))
  assertWellFormed(page)
  assertAlone(page)
  assert.not.match(page.replace(/base64,[^"]*/g, ''), /NaN|undefined|Infinity/)
  assert.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none';/)
})

test('escapes every text of the user', () => {
  const page = trainReport(
    reportOf([nasty, 'b'], {
      title: nasty,
      facts: [[nasty, nasty]],
      confusion: [
        [3, 4],
        [5, 6]
      ],
      pictures: [{ title: nasty, caption: nasty, png: png(8, 8) }],
      warnings: [nasty]
    })
  )
  assertWellFormed(page)
  assert.not.match(page, /<script|<img src=http|<\/style><img/)
  assert.ok(page.split('&lt;script&gt;').length > 10)
})

test('has the counts of the confusion matrix, and recall and precision of each class', () => {
  const confusion = [
    [90, 7, 3],
    [0, 40, 0],
    [0, 0, 0]
  ]
  const page = trainReport(reportOf(['cat', 'dog', 'owl'], { confusion }))
  for (const cell of ['>90</td>', '>7</td>', '>3</td>', '>40</td>']) assert.ok(page.includes(cell), cell)
  assert.match(page, /title="cat, taken for dog: 7"/)
  const row = (name: string) => page.match(new RegExp(`<tr><th scope="row">${name}</th>(.*)</tr>`))![1]
  const cells = (name: string) => [...row(name).matchAll(/<td[^>]*>([^<]*)/g)].map(match => match[1])
  assert.equal(cells('cat'), ['100', '90.0\u00a0%', '100.0\u00a0%', 'dog (7)'])
  assert.equal(cells('dog'), ['40', '100.0\u00a0%', '85.1\u00a0%', ''])
  assert.equal(cells('owl'), ['0', '–', '0.0\u00a0%', ''])
})

test('draws the matrix up to 100 classes, and says so above', () => {
  assert.is(trainReport(reportOf(names(100))).split('class="hit"').length - 1, 100)
  const many = trainReport(reportOf(names(101)))
  assertWellFormed(many)
  assert.match(many, /matrix is not drawn: it has 101 classes/)
  assert.match(many, /class100/)
})

test('leaves out what there is nothing of', () => {
  const page = trainReport(
    reportOf(['a', 'b'], {
      epochs: [],
      facts: [],
      confusion: undefined,
      pictures: [],
      mistakes: undefined,
      warnings: []
    })
  )
  assertWellFormed(page)
  assert.not.match(page, /<h2>|<svg/)
})

const curves = suite('curves')

for (const count of [1, 2, 30, 300])
  curves(`of ${count} epochs`, () => {
    const svg = curvesSvg(epochsOf(count), count)
    assertWellFormed(svg)
    assertAlone(svg)
    assert.not.match(svg, /NaN|undefined|Infinity/)
    assert.is(svg.split('<title>').length - 1, 2 * count)
    assert.is(svg.split(`best: epoch ${count}<`).length - 1, 2)
    for (const { d } of paths(svg)) assert.is(d.split(/[ML]/).length - 1, count)
    // One epoch is a dot: a closed path of one point with round ends.
    if (count === 1) for (const { d } of paths(svg)) assert.match(d, /^M[\d.]+,[\d.]+Z$/)
  })

curves('break where a value is not a number, and mark the epoch', () => {
  const epochs = epochsOf(9).map(each =>
    each.epoch === 4 ? { ...each, trainLoss: Number.NaN, gradientNorm: Infinity } : each
  )
  const svg = curvesSvg(epochs, 9)
  assertWellFormed(svg)
  const [loss] = paths(svg)
  assert.is(loss.d.split('M').length - 1, 2)
  assert.not.match(
    paths(svg)
      .map(({ d }) => d)
      .join(),
    /NaN|Infinity/
  )
  assert.match(svg, /class="epoch gap"[^>]*><title>epoch 4: training NaN, validation/)
  const page = trainReport(reportOf(names(2), { epochs }))
  assertWellFormed(page)
  assert.not.match(page, /(?:[xy]\d?|width|d)="[^"]*(?:NaN|Infinity)/)
})

curves('of nothing but NaN', () => {
  const epochs = epochsOf(3).map(each => ({ ...each, trainLoss: Number.NaN, validationLoss: Number.NaN }))
  const svg = curvesSvg(epochs, -1)
  assertWellFormed(svg)
  assert.equal(paths(svg)[0].d, '')
  assert.not.match(svg, /best: epoch|(?:[xy]\d?|width|d)="[^"]*NaN/)
})

curves('lead over epochs without validation, and do without any', () => {
  const sparse = epochsOf(10).map(({ validationLoss, ...each }) =>
    each.epoch % 2 ? each : { ...each, validationLoss }
  )
  assert.is(paths(curvesSvg(sparse, 2))[1].d.split(/[ML]/).length - 1, 5)
  const without = epochsOf(10).map(({ validationLoss: _, validationAccuracy: __, ...each }) => each)
  const svg = curvesSvg(without, 2)
  assertWellFormed(svg)
  assert.equal(
    paths(svg).map(({ name }) => name),
    ['training', 'training']
  )
})

curves('are logarithmic where the loss spans more than two decades', () => {
  const labels = (loss: (i: number) => number) => {
    const svg = curvesSvg(
      epochsOf(9).map((each, i) => ({ ...each, trainLoss: loss(i), validationLoss: loss(i) })),
      1
    )
    return [...svg.split('Accuracy')[0].matchAll(/text-anchor="end">([\d.]+)</g)].map(match => Number(match[1]))
  }
  const wide = labels(i => 10 ** -i)
  assert.ok(wide.length >= 3 && wide.length <= 10, wide.join())
  assert.ok(
    wide.every(value => Math.abs(Math.log10(value) % 1) < 1e-9),
    wide.join()
  )
  const narrow = labels(i => 1 - i / 10)
  assert.ok(Math.abs(narrow[2] - narrow[1] - (narrow[1] - narrow[0])) < 1e-9, narrow.join())
  assert.ok(labels(i => (i ? 10 ** -i : 0)).length >= 3, 'a loss of zero lies at the edge')
})

const page = suite(`train report in Chromium (seed ${baseSeed})`)
const shown: Browser | string = await launchChromium().catch(error => (error as Error).message)
if (typeof shown === 'string') skip('train report in a browser', `no Chromium runs here: ${shown}`)
else
  for (const width of [390, 1280])
    page(`asks for nothing, says nothing and fits ${width} pixels`, async () => {
      const html = trainReport(reportOf([nasty, ...names(29)], { title: nasty, epochs: epochsOf(300) }))
      const tab = await shown.newPage({ viewport: { width, height: 800 } })
      const noticed: string[] = []
      tab.on('console', message => noticed.push(message.text()))
      tab.on('dialog', dialog => noticed.push(dialog.message()))
      tab.on('request', request => request.url().startsWith('data:') || noticed.push(request.url()))
      await tab.setContent(html)
      const seen = await tab.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - innerWidth,
        pictures: [...document.images].map(image => image.naturalWidth),
        charts: document.querySelectorAll('svg[aria-label]').length,
        strangers: document.querySelectorAll('script, img:not([alt])').length
      }))
      await tab.close()
      assert.equal(noticed, [])
      assert.equal(seen, { overflow: 0, pictures: [32, 8], charts: 4, strangers: 0 })
    })
page('the curves are XML', async () => {
  if (typeof shown === 'string') return
  const tab = await shown.newPage()
  const root = await tab.evaluate(
    svg => new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement.nodeName,
    curvesSvg(epochsOf(5), 2)
  )
  assert.is(root, 'svg')
})
page.after(async () => {
  if (typeof shown !== 'string') await shown.close()
})

test.run()
curves.run()
page.run()
