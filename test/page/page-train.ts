// Training in the browser page: classes, photos, curves, and what comes of them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { zoo } from '../../models/index.js'
import { decodePatch } from '../../train/index.js'
import { launchChromium } from '../support/browser/chromium.js'
import {
  buildPage,
  drop,
  everyControl,
  noScroll,
  openZoo,
  serve,
  settled,
  visit,
  visitPage
} from '../support/browser/web-page.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { root, sharedModels } from '../support/root.js'
import { skip } from '../support/skip.js'

buildPage()

interface GivenFile {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

/** Dark and bright stripes, upright or lying, that begin anywhere. */
function stripes(random: Random, upright: boolean, name: string): GivenFile {
  const png = new PNG({ width: 64, height: 64 })
  const [begin, wide] = [random.int(0, 15), random.int(6, 9)]
  for (let i = 0; i < 64 * 64; i++) {
    const along = upright ? i % 64 : Math.floor(i / 64)
    const light = Math.floor((along + begin) / wide) % 2 ? 230 : 20
    png.data.set([light, light, light + random.int(0, 20), 255], i * 4)
  }
  return { name: `${name}.png`, mimeType: 'image/png', buffer: PNG.sync.write(png) }
}

const card = (page: Page, at: number): Locator => page.locator('.lesson').nth(at)

async function give(page: Page, at: number, name: string, files: readonly GivenFile[] | readonly string[]) {
  await card(page, at).locator('input[type="text"]').fill(name)
  await card(page, at)
    .locator('input[type="file"]')
    .setInputFiles([...files] as GivenFile[])
  await card(page, at).locator(`text=${files.length} photos`).waitFor()
}

async function giveStripes(page: Page, each: number): Promise<void> {
  const random = new Random('stripes', 1)
  for (const [at, name] of ['upright', 'lying'].entries()) {
    const files = Array.from({ length: each }, (_, i) => stripes(random, name === 'upright', `${name} ${i}`))
    await give(page, at, name, files)
  }
}

async function openTraining(page: Page, network: string): Promise<void> {
  await openZoo(page, network)
  await page.click('#tab-train')
  assert.is(await settled(page), undefined)
}

async function downloaded(page: Page, button: string): Promise<{ name: string; buffer: Buffer }> {
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click(button)])
  return { name: saved.suggestedFilename(), buffer: readFileSync(await saved.path()) }
}

/** The classes that the command line tells by a patch, which says how to prepare the photo. */
function inTerminal(patch: Buffer, photo: Buffer): { readonly label: string; readonly score: number }[] {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-patch-'))
  const files = { 'net.onnx': zoo.lenet5.build(), 'head.patch': patch, 'photo.png': photo }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const cli = join(root, 'dist', 'cli', 'index.js')
  const args = [cli, 'run', 'net.onnx', '--patch', 'head.patch', '--image', 'photo.png', '--json']
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  assert.is(status, 0, stderr)
  return JSON.parse(stdout).runs[0].top
}

const first = (page: Page) => page.locator('#tried .bar').first().innerText()

async function setBlocks(page: Page, which: 'all' | number): Promise<void> {
  await page.locator('#unfreeze').evaluate((input: HTMLInputElement, value) => {
    input.value = value === 'all' ? input.max : String(value)
    input.dispatchEvent(new Event('input', { bubbles: true }))
  }, which)
}

function bare(browser: Browser): void {
  const test = suite('training in the page')
  const visited = visitPage(test, browser)

  test('two classes are learnt, tried, saved, and used as a model of the page', async () => {
    const { page } = visited()
    await openTraining(page, 'lenet5')
    await giveStripes(page, 10)
    await page.click('#train-options summary')
    await page.selectOption('#learning-rate', '0.01')
    await setBlocks(page, 'all')
    await page.click('#train-start')
    await page.waitForSelector('#trained:visible')
    assert.match(await page.innerText('#train-verdict'), /^100\.0% of 4 photos/)
    assert.match(
      await page.innerText('#train-notes'),
      /^4 photos are too few to tell: of many, anything from 51 % to 100 %/
    )
    assert.match(await page.innerText('#train-notes'), /^Learnt from 16 photos in 40 epochs/m)
    await page.waitForSelector('#accuracy-chart:visible')
    // The curves are drawn a moment after the last epoch.
    await page.waitForSelector('#epoch-table tbody tr:nth-child(40)', { state: 'attached' })
    assert.is(await page.locator('#epoch-table tbody tr').count(), 40)
    const random = new Random('new stripes', 1)
    let shown = stripes(random, true, 'new')
    for (const [name, upright] of [
      ['lying', false],
      ['upright', true]
    ] as const) {
      shown = stripes(random, upright, 'new')
      await page.setInputFiles('#photo-file', shown)
      await page.waitForFunction(
        pattern => new RegExp(pattern).test(document.querySelector<HTMLElement>('#tried')!.innerText),
        `${name}\\s+([6-9]\\d|100)\\.\\d%`
      )
    }
    assert.match(await first(page), /^upright\s+[\d.]+%$/)

    const patch = await downloaded(page, '#save-patch')
    assert.is(patch.name, 'LeNet-5-trained.patch')
    const { classes, preparation } = decodePatch(new Uint8Array(patch.buffer))
    assert.equal(classes, ['upright', 'lying'])
    assert.equal(preparation, { channels: 'GRAY', scale: 1 / 255, mean: [0], std: [1], fit: 'crop', resize: 32 })
    const tried = (await first(page)).split(/\s+/)
    const [best] = inTerminal(patch.buffer, shown.buffer)
    assert.is(best.label, tried[0])
    assert.ok(Math.abs(best.score * 100 - Number.parseFloat(tried[1])) <= 0.11, `${best.score}, ${tried}`)
    const onnx = await downloaded(page, '#save-trained')
    assert.is(onnx.name, 'LeNet-5-trained.onnx')

    await page.click('#use-trained')
    await page.waitForSelector('#model-name:text("LeNet-5-trained")')
    await page.waitForSelector('#found .bar')
    assert.match(await page.innerText('#found .bar >> nth=0'), /^upright\s+[\d.]+%$/)
    assert.match(await page.innerText('#guess'), /as it was trained/)
    const answer = await page.innerText('#found .bar >> nth=0')
    await page.setInputFiles('#model-file', { name: 'again.onnx', mimeType: '', buffer: onnx.buffer })
    await page.waitForSelector('#model-name:text("again")')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    assert.is(await page.innerText('#found .bar >> nth=0'), answer, 'the file knows the names of its classes')
  })

  test('says what is missing until it can train', async () => {
    const { page } = visited()
    await openTraining(page, 'lenet5')
    const why = () => page.innerText('#train-why')
    assert.is(await why(), '"Class 1" has no photos yet; two are the least.')
    await giveStripes(page, 2)
    assert.is(await why(), '')
    assert.ok(await page.isEnabled('#train-start'))
    await card(page, 0).locator('.thumbnails button').first().click()
    assert.is(await why(), '"upright" has one photo; two are the least.')
    assert.ok(await page.isDisabled('#train-start'))
    await card(page, 1).locator('input[type="text"]').fill('upright')
    assert.is(await why(), 'Two classes are named "upright".')
    await card(page, 1).locator('input[type="text"]').fill(' ')
    assert.is(await why(), 'A class has no name.')
    await page.click('#add-class')
    assert.is(await page.locator('.lesson').count(), 3)
    for (let left = 3; left > 1; left--) await card(page, 0).locator('[aria-label="Remove the class"]').click()
    assert.is(await why(), 'Two classes are the least.')
  })

  test('photos are dropped onto a class, and what is none is refused', async () => {
    const { page } = visited()
    await openTraining(page, 'lenet5')
    const photo = stripes(new Random('dropped', 1), true, 'dropped')
    await card(page, 1).evaluate(
      (target, bytes) => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File([new Uint8Array(bytes)], 'a.png', { type: 'image/png' }))
        dataTransfer.items.add(new File(['text'], 'b.txt'))
        target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
      },
      [...photo.buffer]
    )
    await card(page, 1).locator('text=1 photo').waitFor()
    assert.match((await settled(page))!, /^b\.txt: not a picture/)
    assert.ok(await page.isHidden('#canvas'), "the photo is the class's, not the page's")
  })

  test('the camera gives a photo a press, and more while it is held', async () => {
    const { page } = visited()
    await page.evaluate(() => {
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = 64
      const context = canvas.getContext('2d')!
      setInterval(() => context.fillRect(Math.random() * 64, Math.random() * 64, 8, 8), 30)
      navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30)
    })
    // A slow machine may have taken more by then.
    const photos = (least: number) =>
      page.waitForFunction(wanted => document.querySelectorAll('.thumbnails li').length >= wanted, least)
    await openTraining(page, 'lenet5')
    await card(page, 0).locator('text=Camera').click()
    await page.waitForFunction(() => document.querySelector<HTMLVideoElement>('.shots video')?.videoWidth)
    // The camera may show before it has the focus.
    await page.waitForFunction(() => document.activeElement?.matches('.shots .main'))
    await page.keyboard.press('Enter')
    await photos(1)
    await page.hover('.shots .main')
    await page.mouse.down()
    await photos(4)
    await page.mouse.up()
    await page.click('.shots >> text=Close the camera')
    assert.is(await page.locator('.shots').count(), 0)
  })

  test('stopping keeps what has been learnt, and another model ends it quietly', async () => {
    const { page } = visited()
    await openTraining(page, 'resnet20-cifar')
    await giveStripes(page, 4)
    await page.click('#train-options summary')
    await page.fill('#epochs', '1000')
    await setBlocks(page, 3)
    await page.click('#train-start')
    await page.waitForSelector('#train-curves:visible')
    assert.ok(await page.isDisabled('#epochs'))
    await page.click('#train-stop')
    await page.waitForSelector('#trained:visible')
    assert.match(await page.innerText('#train-notes'), /Ended early: it was told to stop\./)
    await page.click('#test-picture')
    await page.waitForSelector('#tried .bar')
    await page.click('#train-start')
    await page.waitForSelector('#train-curves:visible')
    await page.click('#other')
    await openZoo(page, 'lenet5')
    assert.is(await settled(page), undefined)
    await page.waitForSelector('#train-start:enabled')
    assert.is(await page.locator('.thumbnails li').count(), 8, 'the photos stay')
    assert.ok(await page.isHidden('#train-curves'))
  })

  test('the whole network learns, in the sizes that the model leaves free too', async () => {
    const { page } = visited()
    const model = new ModelBuilder(new Random('free'))
    const convolved = model.add('Relu', [
      model.add('Conv', [model.input(['N', 3, 'H', 'W'], 'float32', [-1, 1], 'x'), model.weights([4, 3, 3, 3])])
    ])
    const pooled = model.add('Flatten', [model.add('GlobalAveragePool', [convolved])])
    model.output(model.add('Gemm', [pooled, model.weights([4, 10])]))
    await page.setInputFiles('#model-file', { name: 'free.onnx', mimeType: '', buffer: Buffer.from(model.encode()) })
    await page.waitForSelector('body[data-view="work"]')
    await page.click('#tab-train')
    assert.is(await settled(page), undefined)
    await giveStripes(page, 3)
    await setBlocks(page, 'all')
    await page.click('#train-options summary')
    await page.fill('#epochs', '3')
    await page.click('#train-start')
    await page.waitForSelector('#trained:visible')
    assert.is(await settled(page), undefined)
  })

  test('says which models cannot be trained', async () => {
    const { page } = visited()
    await openTraining(page, 'lenet5')
    const { buffer } = await downloaded(page, '#save')
    await page.setInputFiles('#model-file', { name: 'compiled.cairn', mimeType: '', buffer })
    await page.waitForSelector('#train-not:text("Open the .onnx file")')
    assert.ok(await page.isHidden('#train-work'))
    const model = new ModelBuilder(new Random('page'))
    model.output(model.add('Softmax', [model.input([1, 7], 'float32', [-1, 1], 'x')]))
    await page.setInputFiles('#model-file', { name: 'v.onnx', mimeType: '', buffer: Buffer.from(model.encode()) })
    await page.waitForSelector('#train-not:text("takes no picture")')
  })

  test('all of it is reached with the keyboard, and fits a phone', async () => {
    const { page } = visited()
    await page.setViewportSize({ width: 360, height: 740 })
    await openTraining(page, 'lenet5')
    await giveStripes(page, 3)
    await page.click('#train-options summary')
    await noScroll(page)
    await page.focus('#train-start')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#trained:visible')
    await page.click('#test-picture')
    await page.waitForSelector('#tried .bar')
    assert.is(await settled(page), undefined)
    await noScroll(page)
    await everyControl(page)
  })

  test.run()
}

/** A trained backbone and six photos. */
function real(browser: Browser, models: string): void {
  const test = suite('training a real model in the page')
  test('a MobileNet learns cats from birds', async () => {
    const served = await serve(models)
    const { page, errors, strangers, close } = await visit(browser, served.url)
    await drop(page, 'models/mobilenet_v1_025_128_imagenet.onnx')
    await page.waitForSelector('body[data-view="work"]')
    await page.click('#tab-train')
    assert.is(await settled(page), undefined)
    const photos = join(models, '..', 'photos')
    const places = (...names: string[]) => names.map(name => join(photos, name))
    await give(page, 0, 'cat', places('cat_720p.jpg', 'chelsea.png', 'resnet-cat.jpg'))
    await give(page, 1, 'bird', places('bird.bmp', 'owl.jpg', 'parrot.jpg'))
    const began = Date.now()
    await page.click('#train-start')
    await page.waitForSelector('#trained:visible')
    console.log(`trained in ${((Date.now() - began) / 1000).toFixed(1)} s`)
    await drop(page, 'photos/owl.jpg')
    await page.waitForSelector('#canvas[aria-label*="owl"][aria-label*="%"]')
    await page.waitForFunction(() =>
      /bird\s+([6-9]\d|100)\.\d%/.test(document.querySelector<HTMLElement>('#tried')!.innerText)
    )
    await close()
    await served.end()
    assert.equal([errors, strangers], [[], []])
  })
  test.run()
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('training in the page', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else {
  bare(browser)
  if (sharedModels) real(browser, sharedModels)
  else skip('training a real model in the page', 'no folder ../shared/models')
}
