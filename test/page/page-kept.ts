// What the browser page keeps in the browser: models, photos, classes, heads, and the fastest number of threads.
import type { Browser } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { launchChromium } from '../support/browser/chromium.js'
import { classifier, inTabs, inWork, kept, named, openCard, picture, tab, teach } from '../support/browser/page-tabs.js'
import { buildPage, openZoo, settled } from '../support/browser/web-page.js'
import { Random } from '../support/random.js'
import { skip } from '../support/skip.js'

buildPage()

function keeping(browser: Browser): void {
  const test = suite('what the page keeps')
  const { served, context } = inTabs(test, browser, { 'one.onnx': classifier('one') })

  test('a dropped model, its photo and what was chosen for it outlast a reload and the tab', async () => {
    const first = await tab(context(), served().url)
    let { page } = first
    await page.setInputFiles('#model-file', { name: 'own.onnx', mimeType: '', buffer: classifier('own', 6) })
    await named(page, 'own')
    await page.setInputFiles('#photo-file', picture(new Random('outlasts', 1), 'kitten'))
    await page.click('#input-details summary')
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    await settled(page)
    await page.selectOption('#values', 'bytes')
    await settled(page)
    const answer = await page.innerText('#found')
    await kept(page)
    await page.reload()
    await named(page, 'own')
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    assert.is(await page.innerText('#found'), answer)
    assert.is(await page.inputValue('#values'), 'bytes')
    await page.close()
    const second = await tab(context(), served().url)
    page = second.page
    await page.click('#go-on .card:has-text("own")')
    await named(page, 'own')
    await page.setInputFiles('#photo-file', picture(new Random('outlasts', 1), 'kitten'))
    await page.waitForSelector('#canvas[aria-label^="kitten.png: "]')
    assert.is(await page.innerText('#found'), answer)
    assert.equal([...first.errors, ...second.errors], [])
  })

  test('classes, their photos and the trained head outlast a reload', async () => {
    const { page, errors } = await tab(context(), served().url)
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
    const [a, b] = [await tab(context(), served().url), await tab(context(), served().url)]
    for (const [at, { page }] of [a, b].entries()) {
      await openZoo(page, 'lenet5')
      await page.click('#tab-train')
      await page.locator('.lesson input[type="text"]').first().fill(`tab ${at}`)
      const files = Array.from({ length: at + 1 }, (_, i) => picture(new Random(`tab ${at}`, i + 1)))
      await page.locator('.lesson input[type="file"]').first().setInputFiles(files)
      await page.waitForSelector(`text=${at ? '2 photos' : '1 photo'}`)
    }
    await Promise.all([kept(a.page), kept(b.page)])
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
    await context().addInitScript(() => {
      const refuse = () => {
        throw new DOMException('denied', 'SecurityError')
      }
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
        Object.defineProperty(window, name, { get: refuse })
    })
    const { page, errors } = await tab(context(), served().url)
    await page.click('#theme')
    await openCard(page, 'one')
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
    const { page, errors } = await tab(context(), served().url)
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

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else keeping(browser)
