// What the page shows of a run and of a model: outputs of all kinds, the network that comes with it, the code that runs a
// model elsewhere, the table of layers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { InferenceSession, Tensor, toFloatData, topK } from '../../runtime/index.js'
import { classesOf } from '../../train/index.js'
import { launchChromium } from '../support/browser/chromium.js'
import { Site } from '../support/browser/serve.js'
import { buildPage, openZoo, settled, visitPage } from '../support/browser/web-page.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

buildPage()

const starter = join(root, 'web', 'public', 'starter')

/** A small network of a picture whose features go on to several outputs. */
function network(give: (m: ModelBuilder, features: string) => void, side = 32): ModelBuilder {
  const m = new ModelBuilder(new Random('page results'))
  const x = m.input([1, 3, side, side], 'float32', [0, 1], 'picture')
  const maps = m.add('Relu', [m.add('Conv', [x, m.weights([8, 3, 3, 3])], { strides: [2, 2] })])
  give(m, m.add('Flatten', [m.add('GlobalAveragePool', [maps])]))
  return m
}

const dense = (m: ModelBuilder, from: string, inputs: number, outputs: number) =>
  m.add('Gemm', [from, m.weights([inputs, outputs])])

/** Scores that are no shares and no logarithms of them, whatever the weights: the first is above 1, the second below 0. */
function plain(m: ModelBuilder, scores: string, count: number): string {
  const of = (from: number, to: number) => m.add('Slice', [scores, m.ints([from]), m.ints([to]), m.ints([1])])
  const first = m.add('Add', [m.add('Abs', [of(0, 1)]), m.scalar(1.2)])
  const second = m.add('Sub', [m.scalar(-0.2), m.add('Abs', [of(1, 2)])])
  return m.add('Concat', [first, second, of(2, count)], { axis: 1 })
}

function renamed(m: ModelBuilder, names: readonly string[], metadata: Readonly<Record<string, string>> = {}): Buffer {
  const proto = m.proto()
  proto.graph!.output!.forEach((output, i) => {
    for (const node of proto.graph!.node!)
      node.output = node.output!.map(name => (name === output.name ? names[i] : name))
    output.name = names[i]
  })
  proto.metadataProps = Object.entries(metadata).map(([key, value]) => ({ key, value }))
  return Buffer.from(onnxProto.onnx.ModelProto.encode(proto).finish())
}

async function openBytes(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.setInputFiles('#model-file', { name: `${name}.onnx`, mimeType: '', buffer })
  await page.waitForSelector(`#model-name:text("${name}")`)
  await page.click('#test-picture')
  await page.waitForSelector('#canvas[aria-label^="test picture:"]')
  assert.is(await settled(page), undefined)
}

const labelsFile = (lines: readonly string[]) => ({
  name: 'labels.txt',
  mimeType: 'text/plain',
  buffer: Buffer.from(lines.join('\n'))
})

/** Arrays as their elements, whatever the console makes of them. */
const plainly = `<script>const log = console.log
console.log = (...all) => log(all.map(each => (typeof each === 'object' ? [...each].join() : each)).join(' '))</script>`

/** What a module prints that a page of its own runs, beside the files that it fetches. */
async function printed(browser: Browser, html: string, files: Readonly<Record<string, Buffer>>): Promise<string[]> {
  const site = await Site.open({
    folders: { '/cairn/': join(root, 'dist', 'runtime'), '/shaders/': join(root, 'dist', 'shaders') }
  })
  site.files.set('/', { type: 'text/html', body: `<!doctype html><link rel="icon" href="data:,">${plainly}${html}` })
  for (const [name, body] of Object.entries(files))
    site.files.set(`/${encodeURIComponent(name)}`, { type: typeOf(name), body })
  const page = await (await browser.newContext()).newPage()
  const lines: string[] = []
  const errors: string[] = []
  page.on('console', message => (message.type() === 'error' ? errors : lines).push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(`${site.origin}/`)
  await page
    .waitForFunction(() => (globalThis as { done?: boolean }).done, undefined, { timeout: 30_000 })
    .catch(() => undefined)
  await page.context().close()
  await site.close()
  assert.equal(errors, [])
  return lines
}

const typeOf = (name: string) => (name.endsWith('.json') ? 'application/json' : 'application/octet-stream')

/** The code as the page gives it, in both forms, made to say when it is done. */
async function htmlOf(page: Page, form: 'npm' | 'script'): Promise<string> {
  await page.selectOption('#code-form', form)
  const code = await page.innerText('#code-text')
  if (form === 'script') return code.replace('</script>', 'globalThis.done = true\n</script>')
  const map = JSON.stringify({ imports: { cairnjs: '/cairn/index.js' } })
  return `<script type="importmap">${map}</script><script type="module">${code}\nglobalThis.done = true</script>`
}

async function saved(page: Page, button: string): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)])
  return readFileSync(await download.path())
}

function inChromium(browser: Browser): void {
  const test = suite('page results')
  const visited = visitPage(test, browser)

  test('without a folder there is a network that means something, and a picture of each kind', async () => {
    const { page } = visited()
    assert.is(await page.title(), 'Cairn')
    const kinds = await page
      .locator('#starter-list button')
      .evaluateAll(all => all.map(each => (each as HTMLElement).title))
    assert.is(kinds.length, 10)
    await page.click(`#starter-list button[title="${kinds[3]}"]`)
    await page.waitForSelector(`#canvas[aria-label^="${kinds[3]}: dress"]`)
    assert.is(await page.title(), 'Clothes · Cairn')
    assert.is(await page.evaluate(() => document.activeElement?.id), 'model-name', 'the focus goes with the view')
    for (const kind of kinds) {
      await page.click(`#samples button[title="${kind}"]`)
      await page.waitForSelector(`#canvas[aria-label^="${kind}: "]`)
      const name = kind.replace('.png', '').replace('-b', ' b').toLowerCase()
      assert.match((await page.innerText('#found .bar >> nth=0')).toLowerCase(), new RegExp(`^${name}\\s+9\\d\\.\\d%`))
    }
    await page.click('#other')
    assert.is(await page.title(), 'Cairn')
    assert.is(await page.evaluate(() => document.activeElement?.id), 'start-title')
  })

  test('all outputs are told of, and numbers that are no classes get no bars until one says that they are', async () => {
    const { page } = visited()
    const m = network((m, features) => {
      const embedding = dense(m, features, 8, 256)
      const norm = m.add('ReduceL2', [embedding], { axes: [1], keepdims: 1 })
      m.output(m.add('Div', [embedding, norm]), dense(m, features, 8, 1), plain(m, dense(m, features, 8, 6), 6))
    })
    await openBytes(page, 'several', renamed(m, ['embedding', 'age', 'what']))
    const text = await page.innerText('#found')
    assert.match(text, /embedding\s+1×256\s+A vector of 256 numbers, .*length 1: .*probably an embedding/s)
    assert.match(text, /age\s+1×1\s+-?[\d.]+/)
    assert.match(text, /what\s+1×6\s+A vector of 6 numbers/)
    assert.is(await page.locator('#found .bar').count(), 0)
    await page.click('#found section:has-text("what") button')
    assert.is(await page.locator('#found .bar').count(), 5)
    assert.match(await page.innerText('#announce'), /^the model has run|^-?\d/)
  })

  test('labels of another length are told where one looks, those that fit are taken', async () => {
    const { page } = visited()
    const m = network((m, features) => m.output(m.add('Softmax', [dense(m, features, 8, 6)])))
    await openBytes(page, 'six', Buffer.from(m.encode()))
    await page.setInputFiles('#labels-file', labelsFile(['a', 'b', 'c', 'd']))
    await page.waitForSelector('#found .note')
    assert.is(
      await page.innerText('#found .note'),
      'labels.txt has 4 lines, this output 6 classes: its names are not used.'
    )
    assert.match(await page.innerText('#found .bar >> nth=0'), /^class \d/)
    await page.setInputFiles('#labels-file', labelsFile(['ant', 'bee', 'cow', 'dog', 'eel', 'fox']))
    await page.waitForSelector('#found .bar span:text-matches("^(ant|bee|cow|dog|eel|fox)$")')
    assert.is(await page.locator('#found .note').count(), 0)
  })

  test('boxes behind NonMaxSuppression are drawn, with the names that the file has', async () => {
    const { page } = visited()
    const m = network(m => {
      const rows = {
        dtype: 'float32',
        dims: [2, 7],
        data: [0, 4, 4, 20, 20, 2, 0.9, 0, 8, 16, 30, 30, 1, 0.7]
      } as const
      m.output(
        m.add('Add', [m.constant(rows), m.add('Mul', [m.add('ReduceMean', ['picture'], { keepdims: 0 }), m.scalar(0)])])
      )
    })
    await openBytes(page, 'rows', renamed(m, ['output'], { names: `{0: 'cat', 1: "dog", 2: 'zebra\\'s foal'}` }))
    assert.equal(await page.locator('#found .bar').allInnerTexts(), [
      'zebra’s foal\n90.0%'.replace('’', "'"),
      'dog\n70.0%'
    ])
    assert.ok(await page.isVisible('#least-field'))
  })

  test('a line of writing is read with its alphabet', async () => {
    const { page } = visited()
    const assets = join(root, 'node_modules', '@gutenye', 'ocr-models', 'assets')
    await page.setInputFiles('#model-file', join(assets, 'ch_PP-OCRv4_rec_infer.onnx'))
    await page.waitForSelector('body[data-view="work"]')
    const written = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 48 })
      const context = canvas.getContext('2d')!
      context.fillStyle = '#fff'
      context.fillRect(0, 0, 320, 48)
      context.fillStyle = '#000'
      context.font = '30px sans-serif'
      context.fillText('Hello 2026', 14, 34)
      return canvas.toDataURL().split(',')[1]
    })
    const photo = { name: 'line.png', mimeType: 'image/png', buffer: Buffer.from(written, 'base64') }
    await page.setInputFiles('#photo-file', photo)
    await page.waitForSelector('#found :text("probably writing")')
    await page.setInputFiles('#labels-file', join(assets, 'ppocr_keys_v1.txt'))
    await page.waitForSelector('#found .read')
    assert.match(await page.innerText('#found .read'), /^.?Hello ?2026.?$/)
  })

  test('the code that the page gives runs, and says what the page says', async () => {
    const { page } = visited()
    await page.click('#starter-list button[title="bag.png"]')
    await page.waitForSelector('#canvas[aria-label^="bag.png: bag"]')
    await page.click('#tab-code')
    assert.is(await page.innerText('#code-files'), 'Beside it: Clothes.cairn.')
    const model = await saved(page, '#save-model')
    const photo = readFileSync(join(starter, 'bag.png'))
    await page.click('#tab-result')
    const shown = (await page.locator('#found .bar').allInnerTexts()).map(line => line.split('\n'))
    await page.click('#tab-code')
    for (const form of ['npm', 'script'] as const) {
      const html = await htmlOf(page, form)
      assert.ok(html.split('\n').length <= 16, html)
      const lines = await printed(browser, html, { 'Clothes.cairn': model, 'photo.jpg': photo })
      assert.is(lines.length, 5)
      lines.forEach((line, i) => {
        const [, name, share] = line.match(/^(.*) ([\d.e-]+)$/)!
        assert.is(name, shown[i][0])
        assert.ok(Math.abs(Number(share) * 100 - Number.parseFloat(shown[i][1])) <= 0.051, `${line}, ${shown[i]}`)
      })
    }
  })

  test('the code keeps to whatever preparation is chosen, and to the names of outputs', async () => {
    const { page } = visited()
    const m = network((m, features) => m.output(plain(m, dense(m, features, 8, 4), 4)), 48)
    await openBytes(page, 'odd names', renamed(m, ['1234/out']))
    await page.click('#input-details summary')
    const photo = readFileSync(join(starter, 'coat.png'))
    await page.setInputFiles('#photo-file', { name: 'coat.png', mimeType: 'image/png', buffer: photo })
    await page.waitForSelector('#canvas[aria-label^="coat.png: "]')
    await page.click('#tab-code')
    const model = await saved(page, '#save-model')
    for (const [values, channels, fit] of [
      ['imagenet', 'BGR', 'pad'],
      ['centred', 'RGB', 'inner'],
      ['signed', 'BGR', 'stretch']
    ]) {
      await page.selectOption('#values', values)
      await page.selectOption('#channels', channels)
      await page.selectOption('#fit', fit)
      assert.is(await settled(page), undefined)
      await page.click('#tab-result')
      const row = (await page.locator('#found tbody td').allInnerTexts()).map(Number)
      await page.click('#tab-code')
      const [line] = await printed(browser, await htmlOf(page, 'npm'), { 'odd names.cairn': model, 'photo.jpg': photo })
      const numbers = line.split(' ')[1].split(',').map(Number)
      assert.is(numbers.length, 4, line)
      numbers.forEach((value, i) =>
        assert.ok(Math.abs(value - row[i]) <= 2e-3 * Math.max(...row.map(Math.abs)), `${line}, ${row}`)
      )
    }
  })

  test('long lists of labels are a file beside the code', async () => {
    const { page } = visited()
    const m = network((m, features) => m.output(m.add('Softmax', [dense(m, features, 8, 1000)])))
    await openBytes(page, 'thousand', Buffer.from(m.encode()))
    await page.waitForSelector('#found .bar')
    assert.not.match(await page.innerText('#found'), /class \d/, 'ImageNet has names')
    await page.click('#tab-code')
    assert.match(await page.innerText('#code-files'), /thousand\.cairn and thousand-labels\.json/)
    const labels = JSON.parse(String(await saved(page, '#save-labels')))
    assert.is(labels.length, 1000)
    assert.match(labels[281], /^tabby/)
  })

  test('layers have shapes, kernels, work and times, and can be sorted', async () => {
    const { page } = visited()
    await openZoo(page, 'resnet20-cifar')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    await page.click('#tab-layers')
    const column = async (at: number) => page.locator(`#layer-table tbody td:nth-child(${at})`).allInnerTexts()
    assert.match(
      await page.innerText('#layer-table tr:has-text("16×3×3×3")'),
      /conv\s+1×16×32×32\s+442K\s+–\s+–\s+Conv\s+1×3×32×32\s+16×3×3×3/
    )
    await page.click('#layer-table th button:text("multiply-adds")')
    const macs = (await column(5)).map(text =>
      text === '–' ? 0 : Number.parseFloat(text) * ({ M: 1e6, K: 1e3 }[text.at(-1)!] ?? 1)
    )
    assert.ok(macs[0] > 0 && macs.every((value, i) => i === 0 || value <= macs[i - 1]), macs.join())
    assert.is(await page.getAttribute('#layer-table th:nth-child(5)', 'aria-sort'), 'descending')
    await page.selectOption('#profile-runs', '1')
    await page.click('#profile-form button')
    await page.waitForSelector('#layer-table td:text-matches(" ms$")')
    assert.ok((await column(6)).every(text => / m?s$/.test(text)))
    await page.setViewportSize({ width: 390, height: 800 })
    // Charts follow a moment later.
    await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)
  })

  test('dark margins are explained, and colours that the user insists on work', async () => {
    const { page } = visited()
    await openZoo(page, 'resnet20-cifar')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    const opacity = () => page.evaluate(() => getComputedStyle(document.querySelector('#margins')!).opacity)
    await page.mouse.move(0, 0)
    assert.is(await opacity(), '0')
    await page.hover('#canvas')
    assert.is(await opacity(), '1')
    assert.match(await page.innerText('#margins'), /sees the bright part alone/)
    await page.mouse.move(0, 0)
    await page.focus('#choose-photo')
    await page.keyboard.press('Shift+Tab')
    assert.is(await page.evaluate(() => document.activeElement?.id), 'canvas')
    assert.is(await opacity(), '1')
    await page.emulateMedia({ forcedColors: 'active' })
    const drawn = await page.evaluate(() => {
      const track = getComputedStyle(document.querySelector('.track')!)
      const filled = getComputedStyle(document.querySelector('.track i')!)
      return { border: track.borderTopWidth, same: track.backgroundColor === filled.backgroundColor }
    })
    assert.equal(drawn, { border: '1px', same: false })
    await page.click('#input-details summary')
    await page.selectOption('#fit', 'stretch')
    await page.waitForSelector('#margins', { state: 'hidden' })
  })

  test('there is a way to the other camera', async () => {
    const { page } = visited()
    await page.evaluate(() => {
      const asked: unknown[] = []
      Object.assign(window, { asked })
      const devices = ['front', 'back'].map(deviceId => ({ kind: 'videoinput', deviceId }))
      navigator.mediaDevices.enumerateDevices = async () => devices as MediaDeviceInfo[]
      navigator.mediaDevices.getUserMedia = async wanted => {
        const { facingMode } = wanted!.video as { facingMode?: { ideal: string } }
        asked.push(facingMode?.ideal)
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
        canvas.getContext('2d')!.fillRect(0, 0, 64, 48)
        const stream = canvas.captureStream(10)
        stream.getVideoTracks()[0].getSettings = () => ({ facingMode: facingMode?.ideal })
        return stream
      }
    })
    await openZoo(page, 'lenet5')
    await page.click('#camera')
    await page.click('#turn-camera')
    await page.waitForFunction(() => (window as unknown as { asked: unknown[] }).asked.length === 2)
    await page.click('#turn-camera')
    await page.waitForFunction(() => (window as unknown as { asked: unknown[] }).asked.length === 3)
    const asked = await page.evaluate(() => (window as unknown as { asked: string[] }).asked)
    assert.equal(asked, ['environment', 'user', 'environment'])
    await page.click('#camera')
    assert.ok(await page.isHidden('#turn-camera'))
  })

  test.run()
}

const starterTest = suite('the network that comes with the page')

starterTest('is small, and knows its own samples on the CPU', async () => {
  const bytes = readFileSync(join(starter, 'clothes.onnx'))
  assert.ok(bytes.length < 300_000)
  const session = await InferenceSession.create(await compile(bytes))
  const classes = classesOf(bytes)!
  assert.is(classes.length, 10)
  const { photos, accuracy } = JSON.parse(readFileSync(join(starter, 'index.json'), 'utf8'))
  assert.ok(accuracy.dark > 0.85 && accuracy.light > 0.85)
  for (const [label, photo] of photos.entries()) {
    const { data, width, height } = PNG.sync.read(readFileSync(join(starter, photo)))
    const input = toFloatData({ data, width, height }, { channels: 'GRAY', scale: 1 / 255 })
    const { probabilities } = await session.run({ input: new Tensor('float32', input, [1, 1, height, width]) })
    assert.is(topK(probabilities.data as Float32Array, 1)[0].index, label, photo)
  }
  await session.release()
})

starterTest.run()

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else inChromium(browser)
