// README and guides are true: their links lead somewhere, their code runs, tables name what there is, messages are ours.
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import jpeg from 'jpeg-js'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ops } from '../../compiler/ops/index.js'
import { zoo } from '../../models/index.js'
import { openPage, withoutChromium } from '../support/browser/chromium.js'
import { isolation } from '../support/browser/page.js'
import { Site } from '../support/browser/serve.js'
import { compileModel } from '../support/cairn.js'
import { anchorOf, type Block, guides, type Page, pages, readme } from '../support/markdown.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { drawPicture } from '../support/picture-files.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`docs (seed ${baseSeed})`)
const documents: readonly Page[] = [readme, ...guides]
const guide = (name: string) => guides.find(({ path }) => path === `docs/${name}.md`)!

test('README has at most 150 lines, and prose is wrapped', () => {
  assert.ok(readme.lines.length <= 150, `${readme.lines.length} lines`)
  const isProse = (line: string) => !/^(\||!\[|#| {4}|<)/.test(line)
  const long = documents.flatMap(({ path, prose }) =>
    prose.filter(line => isProse(line) && line.length > 110).map(line => `${path}: ${line}`)
  )
  assert.equal(long, [])
})

test('links lead to files and headings that there are', () => {
  const anchors = (path: string) => pages.find(page => page.path === path)?.headings.map(anchorOf)
  const broken: string[] = []
  let followed = 0
  for (const { path, links } of pages)
    for (const link of links.filter(link => !/^\w+:/.test(link))) {
      const [place, anchor] = link.split('#')
      const target = place ? normalize(join(dirname(path), place)).replaceAll('\\', '/') : path
      followed++
      if (!existsSync(join(root, target)) || (anchor && !anchors(target)?.includes(anchor)))
        broken.push(`${path}: ${link}`)
    }
  assert.equal(broken, [])
  assert.ok(followed > 50, `${followed} links`)
})

test('every guide can be reached from README', () => {
  const named = readme.links.map(link => link.split('#')[0])
  assert.equal(
    guides.map(({ path }) => path).filter(path => !named.includes(path)),
    []
  )
})

test('scripts and files that are named exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const missing = documents.flatMap(({ path, lines }) => {
    const text = lines.join('\n')
    const runs = [...text.matchAll(/npm run ([\w:]+)/g)].map(match => match[1]).filter(name => !scripts[name])
    const files = [...text.matchAll(/`((?:dist|scripts|bench|test|web)\/[\w/.-]+\.\w+)`/g)]
      .map(match => match[1])
      .filter(name => !/NN\./.test(name) && !existsSync(join(root, name)))
    return [...runs, ...files].map(name => `${path}: ${name}`)
  })
  assert.equal(missing, [])
})

/** First cells of a table's rows below a heading, or other ones. */
const cells = ({ prose }: Page, column = 0) =>
  prose
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|')[column + 1].trim())
    .filter(cell => !/^-+:?$/.test(cell))

test('tables list the zoo as it is, and operators that there are', () => {
  const rows = cells(guide('models')).slice(1)
  const counts = cells(guide('models'), 4).slice(1)
  assert.equal(
    rows.map((row, i) => [row.replaceAll('`', ''), counts[i]]),
    Object.entries(zoo).map(([name, { parameters }]) => [name, parameters.toLocaleString('en')])
  )
  const named = cells(guide('operators'), 1)
    .slice(1)
    .flatMap(cell => cell.replace(/ \([^)]*\)/g, '').split(', '))
  assert.equal(
    named.filter(name => !Object.hasOwn(ops, name)),
    []
  )
  assert.ok(named.length > 150)
})

/** All sources with what they put into texts as `…`. */
function messages(): string {
  const others = new Set(['node_modules', 'dist', 'test', 'site', 'examples'])
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    entry => entry.isDirectory() && !entry.name.startsWith('.') && !others.has(entry.name)
  )
  const files = folders.flatMap(({ name }) =>
    readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts'))
      .map(file => join(root, name, file))
  )
  let text = files.map(file => readFileSync(file, 'utf8')).join('\n')
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(/\$\{[^{}]*\}/g, '…')
  }
  return text
}

test('troubleshooting has the messages as the sources have them', () => {
  const sources = messages()
  const entries = guide('troubleshooting').prose.filter(line => line.startsWith('### '))
  assert.ok(entries.length > 30)
  const parts = entries.flatMap(line => line.slice(4).split(/…|; /)).filter(part => part.length > 7)
  assert.equal(
    parts.filter(part => !sources.includes(part)),
    []
  )
})

/** A person's folder, with the models and pictures that the code of the guides reads. */
const folder = mkdtempSync(join(tmpdir(), 'cairn-docs-'))
const cli = join(root, 'dist', 'cli', 'index.js')
const random = new Random('docs')

test.before(() => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'cairnjs'), 'junction')
  for (const [name, { build }] of [
    ['mobilenet', zoo['mobilenet-v3-small']],
    ['small', zoo.lenet5]
  ] as const) {
    const onnx = build()
    writeFileSync(join(folder, `${name}.onnx`), onnx)
    writeFileSync(join(folder, `${name}.cairn`), compileModel(onnx))
  }
  const open = new ModelBuilder(random)
  const x = open.input(['N', 1, 'H', 'W'], 'float32', [0, 1], 'input')
  open.output(open.add('Relu', [open.add('Conv', [x, open.weights([4, 1, 3, 3])])]))
  writeFileSync(join(folder, 'open.onnx'), open.encode())
  writeFileSync(join(folder, 'model.cairn'), compileModel(fewShaders().encode()))
  for (const name of ['cat', 'dog']) {
    const { data, width, height } = drawPicture(random, 120, 90)
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 < 3 ? data[(i >> 2) * 3 + (i % 4)] : 255
    )
    writeFileSync(join(folder, `${name}.jpg`), jpeg.encode({ data: rgba, width, height }, 90).data)
  }
})
test.after(() => rmSync(folder, { recursive: true }))

/** Channels as classes, by kernels whose shaders SwiftShader compiles quickly. */
function fewShaders(): ModelBuilder {
  const m = new ModelBuilder(random)
  const maps = m.add('Sigmoid', [m.input(['N', 3, 'H', 'W'], 'float32', [0, 1], 'input')])
  return m.output(m.add('ReduceMean', [maps], { axes: [2, 3], keepdims: 0 }))
}

const runnable = (kind: string, browser: boolean) =>
  documents.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ words: [language, ...rest] }) => language === kind && rest.includes('run'))
      .filter(({ words }) => words.includes('browser') === browser)
      .map((block, i) => ({ block, name: `${path}, ${kind} ${i + 1}` }))
  )

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 120_000, encoding: 'utf8' })

/** Work of tests is begun two at a time, in their order; each test waits for its own. */
const waiting: (() => Promise<void>)[] = []
const worker = async () => {
  for (let job = waiting.shift(); job; job = waiting.shift()) await job()
}
test.before(() => {
  for (let i = 0; i < 2; i++) void worker()
})

function program(name: string, work: () => Promise<void>): void {
  const done = new Promise<void>((resolve, reject) => waiting.push(() => work().then(resolve, reject)))
  // Whoever fails early is heard in the turn of its test.
  done.catch(() => undefined)
  test(name, () => done)
}

const programs = runnable('js', false)
for (const [i, { block, name }] of programs.entries())
  program(`${name} runs in Node`, async () => {
    const file = join(folder, `program-${i}.mjs`)
    writeFileSync(file, `${block.text}\nconsole.log('to its end')`)
    const { stdout, stderr } = await run(file)
    assert.match(stdout, /\nto its end\n$/)
    assert.is(stderr, '')
  })

for (const { block, name } of runnable('sh', false))
  program(`${name} runs`, async () => {
    for (const line of block.text.split('\n')) {
      const [npx, cairn, ...args] = line.replace(/\s+#.*/, '').split(' ')
      assert.equal([npx, cairn], ['npx', 'cairn'])
      await run(cli, ...args)
    }
  })

/** An import map of the package, as the guide for browsers describes it. */
function importMap(): string {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const named = Object.entries(exports as Record<string, { default?: string }>).filter(([, to]) => to.default)
  const imports = Object.fromEntries(
    named.map(([name, to]) => [`cairnjs${name.slice(1)}`, `/package/${to.default!.slice(2)}`])
  )
  return `<script type="importmap">${JSON.stringify({ imports })}</script>`
}

/** The page that a block is or belongs to; its title tells that the block came to its end. */
function pageOf({ words, text }: Block): string {
  const photos = ['cat', 'dog', 'cat', 'dog', 'cat', 'dog'].map(name => `<img data-class="${name}" src="${name}.jpg">`)
  const body = words[0] === 'html' ? text : `${photos.join('')}<script type="module">${text}\n</script>`
  return `<!doctype html><title>Cairn</title>${importMap()}${body.replace(/<\/script>\s*$/, 'document.title = "done"</script>')}`
}

function inChromium(): void {
  for (const { block, name } of [...runnable('html', false), ...runnable('js', true)])
    program(`${name} runs in a page`, async () => {
      const folders = { '/cairn/': join(root, 'dist', 'runtime'), '/package/': root, '/': folder }
      const site = await Site.open({ folders, headers: isolation })
      site.files.set('/page.html', { type: 'text/html', body: pageOf(block) })
      site.files.set('/favicon.ico', { type: 'image/png', body: '' })
      const { page, errors, strangers } = await openPage(`${site.origin}/page.html`)
      const done = page.waitForFunction(() => document.title === 'done', undefined, { timeout: 60_000 })
      await done.catch(() => assert.unreachable(`the page does not come to its end: ${errors.join('; ')}`))
      assert.equal(errors, [])
      assert.equal(strangers, [])
      await page.context().close()
      await site.close()
    })
}

const reason = await withoutChromium()
if (reason) skip('code of the guides in pages', reason)
else inChromium()
test.run()
