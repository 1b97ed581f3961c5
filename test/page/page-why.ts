// The "Why" tab: a map over the photo, by every method and of every class, of models with a graph and without.
import type { Browser, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { launchChromium } from '../support/browser/chromium.js'
import { buildPage, noScroll, settled, visitPage } from '../support/browser/web-page.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { skip } from '../support/skip.js'

buildPage()

/** A small network of six classes. */
function classifier(): Uint8Array {
  const m = new ModelBuilder(new Random('page why'))
  const x = m.input([1, 3, 32, 32], 'float32', [0, 1], 'picture')
  const maps = m.add('Relu', [m.add('Conv', [x, m.weights([8, 3, 3, 3])], { strides: [2, 2] })])
  const flat = m.add('Flatten', [m.add('GlobalAveragePool', [maps])])
  return m.output(m.add('Softmax', [m.add('Gemm', [flat, m.weights([8, 6])])])).encode()
}

/** The photo with what lies over it. */
const pixels = (page: Page) =>
  page.evaluate(() => {
    const { canvas } = document.querySelector<HTMLCanvasElement>('#canvas')!.getContext('2d')!
    return canvas.toDataURL()
  })

const said = (page: Page, text: RegExp) =>
  page.waitForFunction(
    source => new RegExp(source).test(document.querySelector('#why-says')!.textContent!),
    text.source
  )

async function openBytes(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.setInputFiles('#model-file', { name, mimeType: '', buffer })
  await page.waitForSelector(`#model-name:text("${name.split('.')[0]}")`)
  await page.click('#test-picture')
  await page.waitForSelector('#canvas[aria-label^="test picture:"]')
  assert.is(await settled(page), undefined)
}

function inChromium(browser: Browser): void {
  const test = suite('page why')
  const visited = visitPage(test, browser)

  test('a map of the best class or another lies over the photo, by every method', async () => {
    const { page } = visited()
    const model = classifier()
    await openBytes(page, 'six.onnx', Buffer.from(model))
    const plain = await pixels(page)
    await page.click('#tab-why')
    await said(page, /^What speaks for class \d, \d.*; 15×15 at .*ms/)
    assert.is(await settled(page), undefined)
    const seen = new Set([plain, await pixels(page)])
    assert.is(seen.size, 2)
    assert.is(await page.locator('#why-class option').count(), 7)
    const methods = await page
      .locator('#why-method option')
      .evaluateAll(all => all.map(each => each.getAttribute('value')!))
    for (const method of methods.slice(1)) {
      await page.evaluate(() => {
        document.querySelector('#why-says')!.textContent = ''
      })
      await page.selectOption('#why-method', method)
      await said(page, /^What speaks for class/)
      assert.is(await settled(page), undefined, method)
    }
    await page.selectOption('#why-method', 'saliency')
    await said(page, /ms/)
    const last = await page.locator('#why-class option >> nth=6').getAttribute('value')
    await page.selectOption('#why-class', last!)
    await said(page, new RegExp(`^What speaks for class ${last},`))
    const strong = await pixels(page)
    await page.fill('#why-opacity', '0')
    await page.waitForTimeout(100)
    assert.is.not(await pixels(page), strong)
    await noScroll(page)
    await page.click('#tab-result')
    assert.is(await pixels(page), plain, 'the result is as it was')

    await openBytes(page, 'ready.cairn', Buffer.from(await compile(model)))
    await page.click('#tab-why')
    await said(page, /^What speaks for/)
    assert.is(await page.inputValue('#why-method'), 'occlusion')
    assert.ok(await page.locator('#why-method option >> nth=0').isDisabled())
  })

  test('a layer of the table shows what it makes of the photo', async () => {
    const { page } = visited()
    await openBytes(page, 'six.onnx', Buffer.from(classifier()))
    const brought = () =>
      page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /explain/.test(name)).length)
    assert.is(await brought(), 0, 'nothing of explanations is there yet')
    await page.click('#tab-layers')
    await page.click('.pick >> nth=0')
    await page.waitForFunction(() =>
      /8 of 8 maps, 15×15 each/.test(document.querySelector('#layer-maps-note')!.textContent!)
    )
    assert.is(await settled(page), undefined)
    const sizes = await page.evaluate(() => {
      const { width, height } = document.querySelector<HTMLCanvasElement>('#layer-maps-canvas')!
      return [width, height]
    })
    assert.equal(sizes, [8 * 16 - 1, 15])
    await page.click('.pick >> nth=-1')
    await page.waitForFunction(() => /: 6 units; /.test(document.querySelector('#layer-maps-note')!.textContent!))
    await noScroll(page)
    await page.click('#test-picture')
    await page.waitForSelector('#layer-maps', { state: 'hidden' })
  })

  test('the picture of a live camera is explained frame by frame', async () => {
    const { page } = visited()
    await page.evaluate(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
      const context = canvas.getContext('2d')!
      setInterval(() => {
        context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`
        context.fillRect(Math.random() * 40, Math.random() * 30, 24, 18)
      }, 30)
      navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30)
    })
    await openBytes(page, 'six.onnx', Buffer.from(classifier()))
    await page.click('#tab-why')
    await said(page, /^What speaks for/)
    await page.click('#camera')
    await page.click('#live')
    await said(page, /^(What speaks for .*\d ms\.|A map takes .* too long for a live picture)/)
    const seen = new Set<string>()
    for (let i = 0; i < 2400 && seen.size < 3; i++) {
      seen.add(await pixels(page))
      await page.waitForTimeout(50)
    }
    assert.is(seen.size, 3)
    await page.click('#camera')
    assert.is(await settled(page), undefined)
  })

  test('a model without classes says that there is nothing to explain', async () => {
    const { page } = visited()
    const m = new ModelBuilder(new Random('page why, maps'))
    const x = m.input([1, 3, 32, 32], 'float32', [0, 1], 'picture')
    m.output(m.add('Conv', [x, m.weights([5, 3, 3, 3])]))
    await openBytes(page, 'maps.onnx', Buffer.from(m.encode()))
    await page.click('#tab-why')
    await said(page, /^This model gives no classes to explain\.$/)
  })

  test.run()
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else inChromium(browser)
