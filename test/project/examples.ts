// Every folder of examples/ in a project of its own, with the package as npm packs it, run as its README says. What it makes of
// pictures is what onnxruntime makes of their pixels.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Trainer } from '../../train/index.js'
import { openPage, withoutChromium } from '../support/browser/chromium.js'
import { Site } from '../support/browser/serve.js'
import { buildPage } from '../support/browser/web-page.js'
import { type Project, Projects } from '../support/host/project.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`examples (seed ${baseSeed})`)
const random = new Random('examples')
const starter = join(root, 'web', 'public', 'starter')
const { photos } = JSON.parse(readFileSync(join(starter, 'index.json'), 'utf8')) as { photos: string[] }
const samples = photos.map(name => PNG.sync.read(readFileSync(join(starter, name))).data.filter((_, i) => i % 4 === 0))
const network = new Uint8Array(readFileSync(join(starter, 'clothes.onnx')))
const oracle = await Oracle.load(network)
const side = 28

interface Picture {
  readonly bytes: Uint8Array
  readonly png: Buffer
}

interface Named {
  readonly label: string
  readonly score: number
}

/** Grey pixels: two of the samples, one shining through the other, with some noise. */
function picture(kinds: readonly number[] = [random.int(0, 9), random.int(0, 9)]): Picture {
  const share = random.uniform(0.3, 0.7)
  const [a, b] = kinds.map(kind => samples[kind])
  const bytes = Uint8Array.from(a, (byte, i) =>
    Math.max(0, Math.min(255, share * byte + (1 - share) * b[i] + random.uniform(-20, 20)))
  )
  const png = new PNG({ width: side, height: side })
  bytes.forEach((byte, i) => png.data.set([byte, byte, byte, 255], i * 4))
  return { bytes, png: PNG.sync.write(png) }
}

const floats = (bytes: Uint8Array) => Float32Array.from(bytes, byte => byte / 255)

async function scoresOf({ bytes }: Picture, by: Oracle = oracle): Promise<number[]> {
  const input = { dtype: 'float32', dims: [1, 1, side, side], data: floats(bytes) } as const
  return Array.from((await by.run({ input })).probabilities.data)
}

/** A picture whose three likeliest classes are well apart, with them. */
async function question(): Promise<Picture & { readonly best: readonly Named[] }> {
  for (;;) {
    const drawn = picture()
    const scores = await scoresOf(drawn)
    const best = scores.map((score, i) => ({ label: photos[i].replace('.png', ''), score }))
    best.sort((a, b) => b.score - a.score)
    if ([0, 1, 2].every(i => best[i].score - best[i + 1].score > 0.002)) return { ...drawn, best: best.slice(0, 3) }
  }
}

/** Labels are the samples' names; numbers may be rounded to four digits. */
function checkBest(answer: readonly Named[], expected: readonly Named[]): void {
  const named = ({ label }: Named) => label.toLowerCase().replace(' ', '-')
  assert.equal(answer.map(named), expected.map(named))
  checkScores(
    answer.map(({ score }) => score),
    expected.map(({ score }) => score)
  )
}

function checkScores(scores: readonly number[], expected: readonly number[]): void {
  assert.is(scores.length, expected.length)
  scores.forEach((score, i) => assert.ok(Math.abs(score - expected[i]) < 3e-4, `${scores} instead of ${expected}`))
}

const linesOf = (text: string): Named[] =>
  [...text.matchAll(/^(.+) ([01]\.\d{4})$/gm)].map(([, label, score]) => ({ label, score: Number(score) }))

let projects: Projects
test.before(async () => {
  buildPage()
  projects = await Projects.open()
})
test.after(() => projects.close())
const made = new Map<string, Promise<Project>>()
function example(name: string, inside = false): Promise<Project> {
  if (!made.has(name)) made.set(name, projects.make(join(root, 'examples', name), inside))
  return made.get(name)!
}

const noBrowser = await withoutChromium()
function inBrowser(name: string, body: () => Promise<void>): void {
  if (noBrowser) skip(name, noBrowser)
  else test(name, body)
}

/** Gives the page two pictures, and takes its answers. */
async function checkPage(url: string): Promise<void> {
  const { page, errors, strangers } = await openPage(url)
  await page.waitForSelector('input:not([disabled])').catch(() => assert.unreachable(errors.join('; ')))
  for (let i = 0; i < 2; i++) {
    const { png, best } = await question()
    const before = await page.textContent('pre')
    await choose(page, 'input', [png])
    checkBest(linesOf(await said(page, text => text !== before)), best)
  }
  assert.equal([errors, strangers], [[], []])
  await page.context().close()
}

const choose = (page: Page, selector: string, pngs: readonly Buffer[]) =>
  page.setInputFiles(
    selector,
    pngs.map((buffer, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer }))
  )

/** What the page says as soon as it is as wanted. */
async function said(page: Page, wanted: (text: string) => boolean): Promise<string> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    const text = await page.textContent('pre')
    if (text && wanted(text)) return text
    await page.waitForTimeout(50)
  }
  return assert.unreachable(`the page says ${await page.textContent('pre')}`) as never
}

async function checkFolder(folder: string): Promise<void> {
  const site = await Site.open({ folders: { '/': folder } })
  await checkPage(`${site.origin}/`)
  await site.close()
}

test('each names what it imports', () => {
  const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter(entry => entry.isDirectory())
  for (const { name } of folders) {
    const folder = join(root, 'examples', name)
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const imported = files
      .filter(file => /\.(js|ts|html)$/.test(file) && !/node_modules|[\\/]cairn[\\/]|^dist/.test(file))
      .flatMap(file => [...readFileSync(join(folder, file), 'utf8').matchAll(/^ *import .*'([@\w][^':]*)'$/gm)])
      .map(([, specifier]) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0])
    const missing = imported.filter(specifier => !(specifier in { ...dependencies, ...devDependencies }))
    assert.equal([name, missing], [name, []])
    assert.ok(imported.length > 0 || dependencies.cairnjs)
  }
})

test('node-script', async () => {
  const project = await example('node-script')
  await project.run('model')
  const { png, best } = await question()
  writeFileSync(join(project.folder, 'question.png'), png)
  // The sample in front is a coat, whose three likeliest classes come first.
  const lines = linesOf(await project.run('start', 'question.png'))
  assert.is(lines.length, 6)
  assert.is(lines[0].label, 'coat')
  checkBest(lines.slice(3), best)
})

test('node-http-server', async () => {
  const project = await example('node-http-server')
  await project.run('model')
  const address = await project.start('start', [], { PORT: '0' })
  const post = (body: Uint8Array) => fetch(address, { method: 'POST', body: new Uint8Array(body) })
  const questions = await Promise.all([question(), question(), question()])
  const answers = await Promise.all(questions.map(async ({ png }) => (await (await post(png)).json()) as Named[]))
  answers.forEach((answer, i) => checkBest(answer, questions[i].best))
  assert.is((await post(Uint8Array.of(1, 2, 3))).status, 400)
  assert.is((await fetch(address)).status, 405)
})

inBrowser('plain-html', async () => {
  const project = await example('plain-html')
  await project.run('setup')
  await checkPage(`${await project.start('start', ['--port', '0'])}/`)
})

inBrowser('vite-typescript', async () => {
  const project = await example('vite-typescript')
  await project.run('model')
  await project.run('build')
  await checkFolder(join(project.folder, 'dist'))
  await checkPage(`${await project.start('dev', ['--port', '0', '--host', '127.0.0.1'])}/`)
})

inBrowser('web-worker', async () => {
  const project = await example('web-worker')
  await project.run('model')
  await project.run('build')
  await checkFolder(join(project.folder, 'dist'))
})

inBrowser('nextjs', async () => {
  const project = await example('nextjs', true)
  await project.run('model')
  await project.run('build')
  const address = await project.start('start', ['--port', '0', '--hostname', '127.0.0.1'])
  await checkPage(`${address}/`)
  const asked = await question()
  const response = await fetch(`${address}/classify`, { method: 'POST', body: new Uint8Array(asked.bytes) })
  checkScores((await response.json()) as number[], await scoresOf(asked))
})

test('cloudflare-workers', async () => {
  const project = await example('cloudflare-workers')
  await project.run('model')
  const address = await project.start('start', ['--port', '0', '--ip', '127.0.0.1'])
  for (let i = 0; i < 2; i++) {
    const { bytes, best } = await question()
    const response = await fetch(address, { method: 'POST', body: new Uint8Array(bytes) })
    checkBest((await response.json()) as Named[], best)
  }
  assert.is((await fetch(address, { method: 'POST', body: 'short' })).status, 400)
})

/** What the service worker's script sees of Chrome, and a page's way to choose from its menu. */
const chrome = `
  let clicked, asked
  globalThis.chrome = {
    runtime: { onInstalled: { addListener: listener => listener() } },
    contextMenus: { create() {}, onClicked: { addListener: listener => (clicked = listener) } },
    action: { setTitle: async ({ title }) => asked.postMessage(title), setBadgeText: async () => {} }
  }
  addEventListener('message', ({ data, source }) => {
    asked = source
    clicked({ srcUrl: data })
  })`

inBrowser('chrome-extension: its service worker, under its policy', async () => {
  const project = await example('chrome-extension')
  await project.run('setup')
  const manifest = JSON.parse(readFileSync(join(project.folder, 'manifest.json'), 'utf8'))
  const policy = manifest.content_security_policy.extension_pages
  const site = await Site.open({ folders: { '/': project.folder }, headers: { 'content-security-policy': policy } })
  const script = (body: string) => ({ type: 'text/javascript', body })
  site.files.set('/', { type: 'text/html', body: '<!doctype html><link rel="icon" href="data:,"><title>Page</title>' })
  site.files.set('/chrome.js', script(chrome))
  site.files.set('/worker.js', script(`import './chrome.js'\nimport './${manifest.background.service_worker}'`))
  const { page, strangers } = await openPage(`${site.origin}/`)
  for (let i = 0; i < 2; i++) {
    const { png, best } = await question()
    site.files.set(`/${i}.png`, { type: 'image/png', body: png })
    const title = await page.evaluate(async url => {
      await navigator.serviceWorker.register('/worker.js', { type: 'module' })
      const { active } = await navigator.serviceWorker.ready
      const answered = new Promise<string>(resolve =>
        navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data), { once: true })
      )
      navigator.serviceWorker.startMessages()
      active!.postMessage(url)
      return answered
    }, `${site.origin}/${i}.png`)
    checkBest(linesOf(title), best)
  }
  assert.equal(strangers, [])
  await page.context().close()
  await site.close()
})

/** A Chromium that takes extensions, which the one for tests does not. */
const whole = [process.env.CAIRN_CHROMIUM, '/usr/bin/chromium'].find(path => path && existsSync(path))
if (!whole)
  skip('chrome-extension: as an extension', 'no Chromium with extensions is at /usr/bin/chromium or CAIRN_CHROMIUM')
else
  test('chrome-extension: as an extension', async () => {
    const project = await example('chrome-extension')
    await project.run('setup')
    const context = await chromium.launchPersistentContext('', {
      executablePath: whole,
      chromiumSandbox: false,
      ignoreDefaultArgs: ['--disable-extensions'],
      args: [`--disable-extensions-except=${project.folder}`, `--load-extension=${project.folder}`]
    })
    const site = await Site.open()
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
    for (let i = 0; i < 2; i++) {
      const { png, best } = await question()
      site.files.set(`/${i}.png`, { type: 'image/png', body: png })
      const title = await worker.evaluate(async srcUrl => {
        // biome-ignore lint/suspicious/noExplicitAny: Chrome's types are not installed.
        const { contextMenus, action } = (globalThis as any).chrome
        await action.setTitle({ title: '' })
        contextMenus.onClicked.dispatch({ srcUrl })
        for (;;) {
          const title: string = await action.getTitle({})
          if (title) return title
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      }, `${site.origin}/${i}.png`)
      checkBest(linesOf(title), best)
    }
    await context.close()
    await site.close()
  })

inBrowser('train-a-head', async () => {
  const project = await example('train-a-head')
  await project.run('setup')
  const { page, errors, strangers } = await openPage(`${await project.start('start', ['--port', '0'])}/`)
  const classes = [
    [1, 3],
    [7, 8]
  ].map(kinds => Array.from({ length: 10 }, () => picture(kinds)))
  for (const [i, id] of ['#first', '#second'].entries())
    await choose(
      page,
      id,
      classes[i].map(({ png }) => png)
    )
  await page.click('#train')
  await said(page, text => text.startsWith('trained'))

  // The same training in Node, and the model that the page saves, in onnxruntime.
  const pictures = classes.flat()
  const trainer = await Trainer.create(network, {
    classes: ['first', 'second'],
    epochs: 30,
    learningRate: 0.01,
    seed: 1
  })
  const labels = pictures.map((_, i) => Number(i >= classes[0].length))
  await trainer.fit({ labels, input: index => floats(pictures[index].bytes) })
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
  assert.is(saved.suggestedFilename(), 'mine.onnx')
  const exported = await Oracle.load(new Uint8Array(readFileSync(await saved.path())))
  for (const kinds of [
    [1, 3],
    [7, 8]
  ]) {
    const asked = picture(kinds)
    const before = await page.textContent('pre')
    await choose(page, '#which', [asked.png])
    const lines = linesOf(await said(page, text => text !== before))
    assert.equal(
      lines.map(({ label }) => label),
      ['first', 'second']
    )
    const scores = lines.map(({ score }) => score)
    assert.is(scores[0] > scores[1], kinds[0] === 1)
    checkScores(scores, await scoresOf(asked, exported))
    // Other binaries round otherwise, in every step.
    const here = await trainer.predict(floats(asked.bytes))
    scores.forEach((score, i) => assert.ok(Math.abs(score - here[i]) < 0.01, `${scores} instead of ${here}`))
  }
  await trainer.release()
  assert.equal([errors, strangers], [[], []])
  await page.context().close()
})

test.run()
