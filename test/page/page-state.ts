// What the browser page does not lose: the last model that was asked for, Back, offline, and files of all kinds.
import type { Browser } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { launchChromium } from '../support/browser/chromium.js'
import {
  apart,
  classifier,
  inTabs,
  inWork,
  kept,
  named,
  openCard,
  picture,
  tab,
  teach
} from '../support/browser/page-tabs.js'
import { buildPage, openZoo, serve, settled } from '../support/browser/web-page.js'
import { Random } from '../support/random.js'
import { skip } from '../support/skip.js'

buildPage()

function states(browser: Browser): void {
  const test = suite('state of the page')
  const { served, models, context } = inTabs(test, browser, {
    'one.onnx': classifier('one'),
    'two.onnx': classifier('two', 7),
    'broken.onnx': Buffer.from('no'),
    'labels.txt': Buffer.from('a\nb')
  })

  test('the model that was asked for last is the one that is open, however long the first takes', async () => {
    const { page, errors } = await tab(context(), served().url)
    let letGo = () => {}
    const held = new Promise<void>(resolve => {
      letGo = resolve
    })
    await context().route('**/one.onnx', async route => {
      await held
      await route.continue().catch(() => undefined)
    })
    await openCard(page, 'one')
    await openCard(page, 'two')
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
    const { page, errors } = await tab(context(), served().url)
    await openCard(page, 'two')
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
    await settled(page)
    await page.click('#time-form button')
    await page.waitForSelector('text=median of 20')
    assert.is(await page.innerText('#found'), before)
    assert.equal(errors, [])
  })

  test('nothing jumps at a run', async () => {
    const { page } = await tab(context(), served().url)
    await openCard(page, 'one')
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
    // On a busy machine the number of threads is found between two runs.
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 720 })
      const tops = await page.evaluate(() => {
        const facts = [...document.querySelectorAll('#timing-facts dd')]
        const device = facts.find(({ textContent }) => textContent!.startsWith('CPU, '))!
        return ['CPU, 1 thread', 'CPU, 2 threads', 'CPU, 16 threads'].map(text => {
          device.textContent = text
          return document.querySelector('#raw')!.getBoundingClientRect().top
        })
      })
      assert.is(new Set(tops).size, 1, `${tops} at a width of ${width}`)
    }
  })

  test('charts load when one is shown, and have no legend of nothing', async () => {
    const { page } = await tab(context(), served().url)
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
    await context().route('**/labels.txt', route => route.abort())
    const { page, errors } = await tab(context(), served().url)
    await openCard(page, 'one')
    await named(page, 'one')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    assert.equal(errors, [])
  })

  test('a model is taken with the files that hold its weights, together or one after the other', async () => {
    const { page, errors } = await tab(context(), served().url)
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
    const { page, errors } = await tab(context(), served().url)
    const bytes = (text: string) => Buffer.from(text, 'latin1')
    for (const [name, content, what] of [
      ['paper', '%PDF-1.7', 'a PDF document'],
      ['net.pt', 'PK\x03\x04 net/data.pkl', 'a PyTorch file'],
      ['net.bin', '\x20\0\0\0TFL3', 'a TensorFlow Lite model'],
      ['config.json', '{ "a": 1 }', 'a JSON file'],
      ['models.zip', 'PK\x03\x04', 'a zip archive; unpack it first'],
      ['net.onnx.data', '\0'.repeat(64), 'weights of an .onnx model'],
      ['thing.xyz', '\x01\x02\x03', 'nothing that this page reads']
    ]) {
      await page.setInputFiles('#model-file', { name, mimeType: '', buffer: bytes(content) })
      await page.waitForSelector('#failure:visible')
      const line = (await settled(page))!
      assert.ok(line.startsWith(`${name}: `) && line.includes(what), line)
      await page.click('#failure-close')
    }
    const photo = picture(new Random('no name', 1))
    await page.setInputFiles('#model-file', { ...photo, name: 'photo', mimeType: '' })
    await page.waitForSelector('#model-drop-title:text("Drop a model for photo")')
    assert.equal(errors, [])
  })

  test('once loaded the page works without its server, isolated as before', async () => {
    const own = await serve(models())
    const online = await browser.newContext()
    const { page, errors } = await tab(online, own.url)
    await page.evaluate(() => navigator.serviceWorker.ready)
    await page.waitForFunction(async () => Boolean(await caches.match('models/index.json')))
    await openCard(page, 'two')
    await named(page, 'two')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    const answer = await page.innerText('#found')
    await kept(page)
    await page.waitForFunction(async () => Boolean(await caches.match('models/two.onnx')))
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
    await page.click('#other')
    await page.click('#starter-list button[title="bag.png"]')
    await named(page, 'Clothes')
    await page.waitForSelector('#found .bar:has-text("bag")')
    const held = await page.evaluate(async () => {
      const names = (await caches.keys()).filter(name => name.startsWith('cairn page'))
      const requests = await Promise.all(names.map(async name => (await caches.open(name)).keys()))
      return requests.flat().map(({ url }) => url)
    })
    assert.ok(
      held.some(url => url.includes('imagenet')),
      'names of ImageNet’s classes are wanted offline too'
    )
    assert.equal(errors, [])
    await online.close()
  })

  test('Back goes to the start, forward to the model, and a reload keeps the place', async () => {
    const { page, errors } = await tab(context(), served().url)
    await openCard(page, 'one')
    await named(page, 'one')
    await page.click('#other')
    assert.is(page.url(), served().url)
    await openCard(page, 'two')
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
    const { page, errors } = await tab(context(), `${served().url}?model=two.onnx`)
    await named(page, 'two')
    await page.goto(`${served().url}?model=three.onnx`)
    await page.waitForSelector('#failure:visible')
    assert.match(
      (await settled(page))!,
      /^three\.onnx: this server offers no such model; .*one\.onnx, two\.onnx, starter are allowed$/
    )
    assert.is(await page.getAttribute('body', 'data-view'), 'start')
    assert.equal(errors, [])
  })

  test.run()
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else states(browser)
