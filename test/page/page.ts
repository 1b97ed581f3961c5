// The browser page in Chromium, as `cairn serve` serves it: what people do there, and what they must not notice.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { launchChromium } from '../support/browser/chromium.js'
import {
  buildPage,
  drop,
  everyControl,
  noScroll,
  openZoo,
  type Served,
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

const command = suite('cairn serve')

function refused(...args: string[]): { status: number | null; line: string } {
  const cli = join(root, 'dist', 'cli', 'index.js')
  const { status, stderr } = spawnSync(process.execPath, [cli, 'serve', ...args], { encoding: 'utf8', timeout: 10_000 })
  return { status, line: stderr }
}

command('refuses in one line what it cannot serve', async () => {
  const served = await serve()
  const { port } = new URL(served.url)
  for (const [args, status, pattern] of [
    [['--api'], 2, /^cairn: --api needs a value\n$/],
    [['--http', '1'], 2, /^cairn: --http is of no use without --api\n$/],
    [['--no-grpc'], 2, /^cairn: --no-grpc is of no use without --api\n$/],
    [['--api', 'no/such', '--http', '0', '--grpc', '0'], 1, /^cairn: no\/such: no such file or folder.*\n$/],
    [['no/such/folder'], 1, /^cairn: no\/such\/folder: no such folder.*\n$/],
    [['--port', port], 1, /^cairn: cannot listen on localhost:\d+: the port is in use.*\n$/],
    [['--port', '70000'], 2, /^cairn: --port 70000: .*\n$/],
    [
      ['--host', '203.0.113.7', '--port', '0'],
      1,
      /^cairn: cannot listen on 203\.0\.113\.7:0: this machine has no such address.*\n$/
    ]
  ] as const) {
    const { status: code, line } = refused(...args)
    assert.match(line, pattern)
    assert.is(code, status)
  }
  assert.is(await served.end('SIGINT'), 0, 'Ctrl-C ends it in order')
})

command('isolates the page, and serves of a folder what the index names', async () => {
  const served = await serve(join(root, 'docs'))
  const page = await fetch(served.url)
  assert.is(page.headers.get('cross-origin-opener-policy'), 'same-origin')
  assert.is(page.headers.get('cross-origin-embedder-policy'), 'require-corp')
  assert.match(page.headers.get('content-security-policy')!, /^default-src 'none'/)
  assert.equal(await (await fetch(`${served.url}models/index.json`)).json(), [])
  for (const path of ['models/format.md', 'models/..%2Fpackage.json', 'photos/format.md', 'models/%E0%A4%A'])
    assert.is((await fetch(served.url + path)).status, 404, path)
  await served.end()
})

command.run()

/** The page with nothing behind it: a zoo's network is always there. */
function bare(browser: Browser): void {
  const test = suite('page')
  const visited = visitPage(test, browser)

  test('a network of the zoo compiles and runs, and says what was done', async () => {
    const { page } = visited()
    await openZoo(page, 'lenet5')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    assert.is(await page.locator('#found .bar').count(), 5)
    assert.match(await page.innerText('#found'), /class \d\s+[\d.]+%/)
    assert.is(await page.innerText('#model-name .badge'), 'untrained')
    assert.match(await page.innerText('#announce'), /^class \d, [\d.]+%; .* on CPU/)
    await page.click('#tab-compilation')
    assert.match(await page.innerText('#compiled'), /fold-constants.*remove-identity.*layout/s)
    await page.click('#tab-memory')
    await page.waitForSelector('#plan rect.storage')
    // The plan is drawn anew where another number of threads is found to be faster.
    await settled(page)
    await page.focus('#plan svg')
    await page.keyboard.press('ArrowRight')
    assert.match(await page.innerText('#plan'), /input input: .* at \d+, from the start to call \d+/)
    assert.is(await settled(page), undefined)
  })

  test('layers are measured, runs timed, and the CPU agrees with the reference', async () => {
    const { page } = visited()
    await openZoo(page, 'lenet5')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    await page.click('#time-form button')
    await page.waitForSelector('text=median of 20')
    await page.click('#tab-layers')
    await page.click('#profile-form button')
    await page.waitForSelector('#profiled:visible')
    assert.match(await page.innerText('#profile-sum'), /^\d+ calls, [\d.]+ ms together/)
    await page.click('#tab-check')
    await page.selectOption('#against', 'reference')
    await page.click('#check-start')
    await page.waitForSelector('#checked .verdict')
    assert.match(await page.innerText('#checked'), /^They agree/)
  })

  test('a model is quantised by photos, compared, and opened in 8 bits', async () => {
    const { page } = visited()
    await openZoo(page, 'lenet5')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    await page.click('#tab-quantise')
    await page.click('#quantise-start')
    await page.waitForSelector('#quantised .verdict')
    assert.match(await page.innerText('#quantised'), /layers on bytes\s+5 of 5 layers with weights/)
    await page.click('#quantised-use')
    await page.waitForSelector('#model-name:text("int8")')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    await page.click('#tab-quantise')
    await page.click('#quantise-start')
    assert.match((await settled(page)) ?? '', /a compiled model cannot be quantised; open the \.onnx file/)
  })

  test('threads load where the page is isolated, and change nothing but the time', async () => {
    const { page } = visited()
    assert.ok(await page.evaluate(() => crossOriginIsolated))
    await openZoo(page, 'resnet20-cifar')
    await page.click('#test-picture')
    const results: string[] = []
    for (const threads of ['1', '2']) {
      if (!(await page.locator(`#threads option[value="${threads}"]`).count())) {
        skip('two threads in the page', 'this machine has one core')
        return
      }
      await page.selectOption('#threads', threads)
      await page.waitForSelector(`#timing-facts :text("CPU, ${threads} thread")`)
      results.push(await page.innerText('#found'))
    }
    assert.is(results[0], results[1])
  })

  test('a compiled file is saved and opened again', async () => {
    const { page } = visited()
    await openZoo(page, 'lenet5')
    assert.is(await settled(page), undefined)
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    assert.is(saved.suggestedFilename(), 'LeNet-5.cairn')
    const path = await saved.path()
    assert.is(readFileSync(path).subarray(0, 4).toString(), 'CARN')
    await page.click('#other')
    await page.setInputFiles('#model-file', { name: 'again.cairn', mimeType: '', buffer: readFileSync(path) })
    await page.waitForSelector('#model-name:text("again")')
    await page.click('#tab-compilation')
    assert.match(await page.innerText('#compiled'), /had been compiled before/)
  })

  test('a model that takes no picture runs all the same, and says so', async () => {
    const { page } = visited()
    const model = new ModelBuilder(new Random('page'))
    model.output(model.add('Softmax', [model.input([1, 7], 'float32', [-1, 1], 'x')]))
    const buffer = Buffer.from(model.encode())
    await page.setInputFiles('#model-file', { name: 'vector.onnx', mimeType: '', buffer })
    await page.waitForSelector('#found .bar')
    assert.match(await page.innerText('#photo-drop'), /takes no picture/)
  })

  test('what is not a model or a photo is refused in one line', async () => {
    const { page } = visited()
    for (const [name, text] of [
      ['broken.onnx', 'no protobuf'],
      ['broken.cairn', 'CARN and nothing else'],
      ['broken.jpg', 'no picture']
    ]) {
      await page.setInputFiles('#model-file', { name, mimeType: '', buffer: Buffer.from(text) })
      await page.waitForSelector('#failure:visible')
      const line = await settled(page)
      assert.ok(line && line.length > 10 && line.length < 300 && !line.includes('\n'), line)
      await page.click('#failure-close')
    }
  })

  test('every control can be reached with the keyboard alone', async () => {
    const { page } = visited()
    await everyControl(page)
    await openZoo(page, 'lenet5')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    assert.is(await settled(page), undefined)
    for (const tab of ['result', 'why', 'train', 'compilation', 'layers', 'memory', 'check', 'quantise', 'code']) {
      assert.is(await page.getAttribute(`#tab-${tab}`, 'aria-selected'), 'true')
      await everyControl(page)
      await page.focus(`#tab-${tab}`)
      await page.keyboard.press('ArrowRight')
      assert.is(await settled(page), undefined)
    }
  })

  test('nothing is wider than a phone, dark or light', async () => {
    const { page } = visited()
    await page.setViewportSize({ width: 360, height: 740 })
    await noScroll(page)
    await openZoo(page, 'resnet20-cifar')
    await page.click('#test-picture')
    await page.waitForSelector('#found .bar')
    for (const tab of ['result', 'why', 'train', 'compilation', 'layers', 'memory', 'check', 'quantise', 'code']) {
      await page.click(`#tab-${tab}`)
      assert.is(await settled(page), undefined)
      await noScroll(page)
    }
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const before = await ground()
    await page.click('#theme')
    assert.is.not(await ground(), before)
  })

  test.run()
}

/** What the models beside the checkout say of the photos there; MODELS.md has it. */
function real(browser: Browser, models: string): void {
  const test = suite('page with real models')
  let served: Served
  test.before(async () => {
    served = await serve(models)
  })
  test.after(async () => {
    await served.end()
  })

  test('a model and a photo that are dropped give the right class', async () => {
    const { page, errors, strangers, close } = await visit(browser, served.url)
    await drop(page, 'models/mobilenet_v2_imagenet.onnx')
    await page.waitForSelector('body[data-view="work"]')
    await drop(page, 'photos/cat_720p.jpg')
    await page.waitForSelector('#canvas[aria-label*="cat_720p"][aria-label*="%"]')
    assert.match(await page.innerText('#found .bar >> nth=0'), /Egyptian cat\s+8\d\.\d%/)
    assert.is(await page.inputValue('#values'), 'signed')
    await close()
    assert.equal([errors, strangers], [[], []])
  })

  test('a photo that takes long to read is not replaced by a sample', async () => {
    const { page, errors, close } = await visit(browser, served.url)
    await page.evaluate(() => {
      const decode = window.createImageBitmap as (source: ImageBitmapSource) => Promise<ImageBitmap>
      window.createImageBitmap = async (source: ImageBitmapSource) => {
        const isFirst = document.body.dataset.view === 'start'
        if (isFirst) await new Promise<void>(resolve => Object.assign(window, { decodeNow: resolve }))
        return decode(source)
      }
    })
    await drop(page, 'photos/parrot.jpg')
    await drop(page, 'models/mobilenet_v1_025_128_imagenet.onnx')
    await page.waitForSelector('body[data-view="work"]')
    await page.waitForFunction(() => document.querySelector('#device-note')?.textContent)
    await page.evaluate(() => (window as unknown as { decodeNow(): void }).decodeNow())
    await page.waitForSelector('#canvas[aria-label*="parrot"][aria-label*="%"]')
    await close()
    assert.equal(errors, [])
  })

  test('the same class on WebGPU, where the browser has it', async () => {
    const { page, errors, close } = await visit(browser, served.url)
    const available = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()))
    if (available) {
      // SwiftShader takes its time.
      page.setDefaultTimeout(240_000)
      await drop(page, 'models/mobilenet_v1_025_128_imagenet.onnx')
      await page.waitForSelector('body[data-view="work"]')
      await page.selectOption('#device', 'webgpu')
      await drop(page, 'photos/parrot.jpg')
      await page.waitForSelector('#canvas[aria-label*="parrot"][aria-label*="on GPU (WebGPU)"]')
      assert.match(await page.innerText('#found .bar >> nth=0'), /macaw/)
    } else skip('the page on WebGPU', 'the browser has no adapter')
    await close()
    assert.equal(errors, [])
  })

  for (const [model, photo, seen] of [
    ['squeezenet1_1_imagenet_fp16', 'piano.jpg', /piano/],
    ['yolox_nano_coco', 'cat_720p.jpg', /^cat\s+[67]\d\.\d%$/m],
    ['fastestdet_coco', 'cat_720p.jpg', /^cat\s+7\d\.\d%$/m],
    ['ultraface_rfb320', 'face.jpg', /^face\s+9\d\.\d%$/m],
    ['selfie_segmentation_256', 'face.jpg', /mask of 256×256/],
    ['style_candy_224', 'coffee.png', /picture of 224×224/],
    ['superres_x3', 'chelsea.png', /picture of 672×/],
    ['tbefn_180x320', 'bird.bmp', /picture of 320×180/]
  ] as const)
    test(`${model} on ${photo}`, async () => {
      const { page, errors, close } = await visit(browser, served.url)
      await page.click(`.card:has-text("${model}") >> nth=0`)
      await page.waitForSelector('#samples button')
      await page.waitForSelector('body[data-view="work"]')
      await page.click(`#samples button[title="${photo}"]`)
      await page.waitForSelector(`#canvas[aria-label^="${photo}:"]`)
      assert.is(await settled(page), undefined)
      assert.match(await page.innerText('#found'), seen)
      await close()
      assert.equal(errors, [])
    })

  test.run()
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else {
  bare(browser)
  if (sharedModels) real(browser, sharedModels)
  else skip('the page with real models', 'no folder ../shared/models')
}
