// What the browser page keeps and does not lose: the last model that was asked for, reloads, Back, offline, and files of all kinds.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { launchChromium } from './support/chromium.js'
import { ModelBuilder } from './support/model.js'
import { Random } from './support/random.js'
import { skip } from './support/skip.js'
import { buildPage, openZoo, type Served, serve, settled } from './support/web-page.js'

buildPage()

/** A small classifier of pictures. */
function classifier(seed: string, classes = 5): Buffer {
  const model = new ModelBuilder(new Random(seed))
  const input = model.input([1, 3, 16, 16], 'float32', [-1, 1], 'x')
  const convolved = model.add('Relu', [model.add('Conv', [input, model.weights([4, 3, 3, 3])])])
  const pooled = model.add('Flatten', [model.add('GlobalAveragePool', [convolved])])
  model.output(model.add('Gemm', [pooled, model.weights([4, classes])]))
  return Buffer.from(model.encode())
}

/** The same model, with its weights in a file of their own. */
function apart(bytes: Buffer): { model: Buffer; weights: Buffer } {
  const { ModelProto, TensorProto } = onnxProto.onnx
  const model = ModelProto.decode(bytes)
  const parts: Uint8Array[] = []
  let offset = 0
  for (const tensor of model.graph!.initializer!) {
    const raw = new Uint8Array(tensor.rawData!)
    const entry = { location: 'apart.onnx.data', offset: String(offset), length: String(raw.length) }
    tensor.externalData = Object.entries(entry).map(([key, value]) => ({ key, value }))
    tensor.dataLocation = TensorProto.DataLocation.EXTERNAL
    tensor.rawData = new Uint8Array()
    parts.push(raw)
    offset += raw.length
  }
  return { model: Buffer.from(ModelProto.encode(model).finish()), weights: Buffer.concat(parts) }
}

function picture(random: Random, name = 'photo'): { name: string; mimeType: string; buffer: Buffer } {
  const png = new PNG({ width: 24, height: 24 })
  for (let i = 0; i < png.data.length; i++) png.data[i] = i % 4 === 3 ? 255 : random.int(0, 255)
  return { name: `${name}.png`, mimeType: 'image/png', buffer: PNG.sync.write(png) }
}

/** A folder of files. */
function folder(models: Record<string, Buffer>): string {
  const path = mkdtempSync(join(tmpdir(), 'cairn-page-'))
  for (const [name, bytes] of Object.entries(models)) writeFileSync(join(path, name), bytes)
  return path
}

interface Tab {
  readonly page: Page
  readonly errors: string[]
}

async function tab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage()
  const errors: string[] = []
  page.setDefaultTimeout(30_000)
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(url)
  await page.waitForSelector('body[data-ready]')
  return { page, errors }
}

const inWork = (page: Page) => page.waitForSelector('body[data-view="work"]')
const named = (page: Page, name: string) => page.waitForSelector(`#model-name:text("${name}")`)
/** What is asked to be kept has been written. */
const kept = (page: Page) => page.waitForTimeout(600)

function states(browser: Browser): void {
  const test = suite('state of the page')
  let served: Served
  let models: string
  let context: BrowserContext
  test.before(async () => {
    models = folder({
      'one.onnx': classifier('one'),
      'two.onnx': classifier('two', 7),
      'broken.onnx': Buffer.from('no'),
      'labels.txt': Buffer.from('a\nb')
    })
    served = await serve(models)
  })
  test.after(async () => {
    await served.end()
    rmSync(models, { recursive: true })
  })
  test.before.each(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' })
  })
  test.after.each(() => context.close())

  const card = (page: Page, name: string) => page.click(`#bundled .card:has-text("${name}")`)

  test('the model that was asked for last is the one that is open, however long the first takes', async () => {
    const { page, errors } = await tab(context, served.url)
    let letGo = () => {}
    const held = new Promise<void>(resolve => {
      letGo = resolve
    })
    await context.route('**/one.onnx', async route => {
      await held
      await route.continue().catch(() => undefined)
    })
    await card(page, 'one')
    await card(page, 'two')
    await named(page, 'two')
    letGo()
    assert.is(await settled(page), undefined)
    assert.is(await page.innerText('#model-name'), 'two')
    await page.click('#other')
    await page.evaluate(() => {
      for (const each of document.querySelectorAll<HTMLElement>('#bundled .card'))
        if (each.textContent?.startsWith('one')) each.click()
      document.querySelector<HTMLFormElement>('#zoo-form')!.requestSubmit()
      for (const each of document.querySelectorAll<HTMLElement>('#bundled .card'))
        if (each.textContent?.startsWith('two')) each.click()
    })
    await inWork(page)
    assert.is(await settled(page), undefined)
    assert.is(await page.innerText('#model-name'), 'two')
    assert.match(page.url(), /\?model=two\.onnx$/)
    assert.equal(errors, [])
  })

  test('a model that cannot be opened leaves the open one alone', async () => {
    const { page, errors } = await tab(context, served.url)
    await card(page, 'two')
    await named(page, 'two')
    await page.setInputFiles('#photo-file', picture(new Random('left alone', 1)))
    await page.waitForSelector('#found .bar')
    const before = await page.innerText('#found')
    for (const name of ['broken.onnx', 'broken.cairn']) {
      await page.setInputFiles('#model-file', { name, mimeType: '', buffer: Buffer.from('CARN and nothing else') })
      await page.waitForSelector('#failure:visible')
      await settled(page)
      assert.is(await page.innerText('#model-name'), 'two')
      assert.is(await page.getAttribute('body', 'data-view'), 'work')
    }
    await page.setInputFiles('#photo-file', picture(new Random('left alone', 1)))
    await page.click('#time-form button')
    await page.waitForSelector('text=median of 20')
    assert.is(await page.innerText('#found'), before)
    assert.equal(errors, [])
  })

  test('nothing jumps at a run', async () => {
    const { page } = await tab(context, served.url)
    await card(page, 'one')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    await settled(page)
    await page.waitForTimeout(700)
    await page.evaluate(() => {
      const shifts: number[] = Object.assign(window, { shifts: [] }).shifts
      new PerformanceObserver(list => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value)
      }).observe({ type: 'layout-shift' })
    })
    const top = () => page.evaluate(() => document.querySelector('#main')!.getBoundingClientRect().top)
    const tops = new Set([await top()])
    for (let i = 0; i < 3; i++) {
      await page.evaluate(() => document.querySelector<HTMLButtonElement>('#test-picture')!.click())
      tops.add(await top())
      await settled(page)
      tops.add(await top())
    }
    assert.is(tops.size, 1)
    assert.equal(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts), [])
  })

  test('charts load when one is shown, and have no legend of nothing', async () => {
    const { page } = await tab(context, served.url)
    const loaded = () =>
      page.evaluate(
        () => performance.getEntriesByType('resource').filter(({ name }) => /chart|curves/.test(name)).length
      )
    await page.evaluate(() => {
      const drawn: string[] = Object.assign(window, { drawn: [] }).drawn
      const { fillText } = CanvasRenderingContext2D.prototype
      CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        drawn.push(text)
        fillText.call(this, text, ...rest)
      }
    })
    await openZoo(page, 'lenet5')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    await page.click('#tab-train')
    await page.waitForTimeout(400)
    assert.is(await loaded(), 0)
    await teach(page, 2)
    await page.click('#tab-layers')
    await page.click('#profile-form button')
    await page.waitForSelector('#profiled:visible')
    await page.waitForFunction(() => (window as unknown as { drawn: string[] }).drawn.includes('call'))
    assert.ok((await loaded()) > 0)
    const drawn = await page.evaluate(() => (window as unknown as { drawn: string[] }).drawn)
    assert.not(drawn.some(text => /undefined/.test(text)))
  })

  test('labels that cannot be fetched do not stop a model', async () => {
    await context.route('**/labels.txt', route => route.abort())
    const { page, errors } = await tab(context, served.url)
    await card(page, 'one')
    await named(page, 'one')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    assert.equal(errors, [])
  })

  test('a model is taken with the files that hold its weights, together or one after the other', async () => {
    const { page, errors } = await tab(context, served.url)
    const { model, weights } = apart(classifier('apart'))
    const own = { name: 'apart.onnx', mimeType: '', buffer: model }
    const data = { name: 'apart.onnx.data', mimeType: '', buffer: weights }
    await page.setInputFiles('#model-file', [data, own])
    await named(page, 'apart')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    const answer = await page.innerText('#found')
    await kept(page)
    await page.reload()
    await named(page, 'apart')
    await page.waitForSelector('#found .bar')
    assert.is(await page.innerText('#found'), answer)
    await page.setInputFiles('#model-file', { ...own, name: 'again.onnx' })
    await page.waitForSelector('#failure:visible')
    assert.match(
      (await settled(page))!,
      /again keeps weights in a file of its own, "apart\.onnx\.data"; drop that file too$/
    )
    await page.setInputFiles('#model-file', data)
    await named(page, 'again')
    await page.waitForSelector('#found .bar')
    assert.is(await page.innerText('#found'), answer)
    assert.equal(errors, [])
  })

  test('files that are no models are named as what they are', async () => {
    const { page, errors } = await tab(context, served.url)
    for (const [name, what] of [
      ['paper.pdf', 'a PDF document'],
      ['net.pt', 'a PyTorch file'],
      ['net.tflite', 'a TensorFlow Lite model'],
      ['config.json', 'JSON'],
      ['models.zip', 'an archive'],
      ['net.onnx.data', 'weights of an .onnx model'],
      ['thing.xyz', 'nothing that this page reads']
    ]) {
      await page.setInputFiles('#model-file', { name, mimeType: '', buffer: Buffer.from('%PDF or so') })
      await page.waitForSelector('#failure:visible')
      const line = (await settled(page))!
      assert.ok(line.startsWith(`${name}: `) && line.includes(what), line)
      await page.click('#failure-close')
    }
    assert.equal(errors, [])
  })

  test('once loaded the page works without its server, isolated as before', async () => {
    const own = await serve(models)
    const online = await browser.newContext()
    const { page, errors } = await tab(online, own.url)
    await page.evaluate(() => navigator.serviceWorker.ready)
    await page.waitForFunction(async () => Boolean(await caches.match('models/index.json')))
    await card(page, 'two')
    await named(page, 'two')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    const answer = await page.innerText('#found')
    await kept(page)
    await own.end()
    await page.reload()
    await named(page, 'two')
    await page.waitForSelector('#found .bar')
    assert.is(await page.innerText('#found'), answer)
    assert.ok(await page.evaluate(() => crossOriginIsolated))
    await page.click('#tab-layers')
    await page.click('#profile-form button')
    await page.waitForSelector('#profiled:visible')
    await page.goto(own.url)
    await page.waitForSelector('body[data-ready]')
    await openZoo(page, 'lenet5')
    await page.waitForSelector('#found .bar, #no-result:visible')
    assert.is(await settled(page), undefined)
    assert.equal(errors, [])
    await online.close()
  })

  test('Back goes to the start, forward to the model, and a reload keeps the place', async () => {
    const { page, errors } = await tab(context, served.url)
    await card(page, 'one')
    await named(page, 'one')
    await page.click('#other')
    assert.is(page.url(), served.url)
    await card(page, 'two')
    await named(page, 'two')
    await page.goBack()
    assert.is(await page.getAttribute('body', 'data-view'), 'start')
    await page.goBack()
    await named(page, 'one')
    await inWork(page)
    await page.goForward()
    await page.goForward()
    await named(page, 'two')
    await inWork(page)
    assert.is(await page.evaluate(() => history.length), 5, 'about:blank, the start, one, the start, two')
    await page.focus('.skip')
    await page.keyboard.press('Enter')
    await page.reload()
    await named(page, 'two')
    assert.is(await page.getAttribute('body', 'data-view'), 'work')
    await page.goBack()
    await page.goBack()
    assert.is(await page.getAttribute('body', 'data-view'), 'start')
    assert.is(await settled(page), undefined)
    assert.equal(errors, [])
  })

  test('a model of the folder has an address, and an unknown one is told', async () => {
    const { page, errors } = await tab(context, `${served.url}?model=two.onnx`)
    await named(page, 'two')
    await page.goto(`${served.url}?model=three.onnx`)
    await page.waitForSelector('#failure:visible')
    assert.match(
      (await settled(page))!,
      /^three\.onnx: this server offers no such model; .*one\.onnx, two\.onnx are allowed$/
    )
    assert.is(await page.getAttribute('body', 'data-view'), 'start')
    assert.equal(errors, [])
  })

  test('a dropped model, its photo and what was chosen for it outlast a reload and the tab', async () => {
    const first = await tab(context, served.url)
    let { page } = first
    await page.setInputFiles('#model-file', { name: 'own.onnx', mimeType: '', buffer: classifier('own', 6) })
    await named(page, 'own')
    await page.setInputFiles('#photo-file', picture(new Random('outlasts', 1), 'kitten'))
    await page.click('#input-details summary')
    await page.selectOption('#values', 'bytes')
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    await settled(page)
    const answer = await page.innerText('#found')
    await kept(page)
    await page.reload()
    await named(page, 'own')
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    assert.is(await page.innerText('#found'), answer)
    assert.is(await page.inputValue('#values'), 'bytes')
    await page.close()
    const second = await tab(context, served.url)
    page = second.page
    await page.click('#go-on .card:has-text("own")')
    await named(page, 'own')
    await page.setInputFiles('#photo-file', picture(new Random('outlasts', 1), 'kitten'))
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    assert.is(await page.innerText('#found'), answer)
    assert.equal([...first.errors, ...second.errors], [])
  })

  test('classes, their photos and the trained head outlast a reload', async () => {
    const { page, errors } = await tab(context, served.url)
    await openZoo(page, 'lenet5')
    await page.click('#tab-train')
    await teach(page, 5)
    const answer = () => page.innerText('#tried')
    await page.setInputFiles('#photo-file', picture(new Random('tried', 1)))
    await page.waitForSelector('#tried .bar')
    const before = await answer()
    await kept(page)
    await page.reload()
    await named(page, 'LeNet-5')
    await page.click('#tab-train')
    await page.waitForSelector('#trained:visible')
    await page.waitForSelector('#tried .bar')
    assert.is(await page.locator('.thumbnails li').count(), 6)
    assert.is(await answer(), before)
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save-patch')])
    assert.is(saved.suggestedFilename(), 'LeNet-5-trained.patch')
    await page.click('#use-trained')
    await named(page, 'LeNet-5-trained')
    await page.waitForSelector('#found .bar')
    await kept(page)
    await page.reload()
    await named(page, 'LeNet-5-trained')
    await page.waitForSelector('#found .bar:has-text("rise")')
    assert.match(await page.innerText('#guess'), /as it was trained/)
    assert.match(await page.innerText('#kept'), /keeps 2 models, 6 photos of classes, 1 trained head/)
    page.on('dialog', dialog => void dialog.accept())
    await page.click('#forget')
    await page.waitForSelector('body[data-view="start"]')
    await settled(page)
    await page.reload()
    await page.waitForSelector('body[data-ready]')
    assert.ok(await page.isHidden('#forget'))
    assert.ok(await page.isHidden('#go-on'))
    assert.equal(errors, [])
  })

  test('two tabs keep what is theirs', async () => {
    const [a, b] = [await tab(context, served.url), await tab(context, served.url)]
    for (const [at, { page }] of [a, b].entries()) {
      await openZoo(page, 'lenet5')
      await page.click('#tab-train')
      await page.locator('.lesson input[type="text"]').first().fill(`tab ${at}`)
      const files = Array.from({ length: at + 1 }, (_, i) => picture(new Random(`tab ${at}`, i + 1)))
      await page.locator('.lesson input[type="file"]').first().setInputFiles(files)
      await page.waitForSelector(`text=${at ? '2 photos' : '1 photo'}`)
    }
    await kept(b.page)
    for (const [at, { page, errors }] of [a, b].entries()) {
      await page.reload()
      await named(page, 'LeNet-5')
      await page.click('#tab-train')
      await page.waitForFunction(count => document.querySelectorAll('.thumbnails li').length === count, at + 1)
      assert.is(await page.inputValue('.lesson input[type="text"] >> nth=0'), `tab ${at}`)
      assert.equal(errors, [])
    }
  })

  test('without storage all of it works, and leaving asks while work would be lost', async () => {
    await context.addInitScript(() => {
      const refuse = () => {
        throw new DOMException('denied', 'SecurityError')
      }
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
        Object.defineProperty(window, name, { get: refuse })
    })
    const { page, errors } = await tab(context, served.url)
    await page.click('#theme')
    await card(page, 'one')
    await named(page, 'one')
    assert.match(await page.innerText('#kept'), /^Nothing can be kept in this browser/)
    await page.goBack()
    await page.goForward()
    await inWork(page)
    const asked: string[] = []
    page.on('dialog', dialog => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    await page.reload()
    await named(page, 'one')
    assert.equal(asked, [], 'nothing is lost')
    await page.click('#tab-train')
    await page
      .locator('.lesson input[type="file"]')
      .first()
      .setInputFiles(picture(new Random('lost', 1)))
    await page.waitForSelector('text=1 photo')
    await page.reload()
    await named(page, 'one')
    assert.equal(asked, ['beforeunload'])
    assert.equal(errors, [])
  })

  test('the fastest number of threads is looked for, told, and can be chosen', async () => {
    const { page, errors } = await tab(context, served.url)
    await openZoo(page, 'resnet20-cifar')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    if (!(await page.locator('#threads option[value="2"]').count())) {
      skip('the fastest number of threads', 'this machine has one core')
      return
    }
    assert.is(await page.inputValue('#threads'), 'auto')
    await page.waitForSelector('#device-note:text("Fastest here: ")')
    const [, threads] = /Fastest here: (\d+) thread.* a run \(.* on \d+\)\./.exec(await page.innerText('#device-note'))!
    const before = await page.innerText('#found')
    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#test-picture')!.click())
    await page.waitForSelector(`#timing-facts :text("CPU, ${threads} thread")`)
    assert.is(await page.innerText('#found'), before)
    const other = threads === '1' ? '2' : '1'
    await page.selectOption('#threads', other)
    await page.waitForSelector(`#timing-facts :text("CPU, ${other} thread")`)
    await page.reload()
    await page.waitForSelector(`#timing-facts :text("CPU, ${threads} thread")`)
    assert.equal(errors, [])
  })

  test.run()
}

/** Two classes, learnt at once by the head alone. */
async function teach(page: Page, epochs: number): Promise<void> {
  await page.waitForSelector('#train-work:visible')
  for (const [at, name] of ['rise', 'fall'].entries()) {
    const lesson = page.locator('.lesson').nth(at)
    await lesson.locator('input[type="text"]').fill(name)
    const photos = [1, 2, 3].map(i => picture(new Random(name, i), `${name} ${i}`))
    await lesson.locator('input[type="file"]').setInputFiles(photos)
    await lesson.locator('text=3 photos').waitFor()
  }
  await page.click('#train-options summary')
  await page.fill('#epochs', String(epochs))
  await page.click('#train-start')
  await page.waitForSelector('#trained:visible')
  await page.waitForSelector(`#epoch-table tbody tr:nth-child(${epochs})`, { state: 'attached' })
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else states(browser)
