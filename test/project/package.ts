// What npm packs, as its users' tools take it: plain pages, Vite's dev server, TypeScript, npm.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createServer } from 'vite'
import packed from '../../schema/onnx.js'
import { openPage, withoutChromium } from '../support/browser/chromium.js'
import { isolation } from '../support/browser/page.js'
import { type Made, Site } from '../support/browser/serve.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`package (seed ${baseSeed})`)
const random = new Random('package')

/** A folder of somebody's project in which the package is installed, without the page and the documents. */
const project = mkdtempSync(join(tmpdir(), 'cairn-package-'))
const installed = join(project, 'node_modules', 'cairnjs')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
test.before(() => {
  for (const file of ['package.json', ...manifest.files.filter((name: string) => /^dist\/(?!web)/.test(name))])
    cpSync(join(root, file), join(installed, file), { recursive: true })
  const common = 'onnxruntime-common'
  cpSync(join(root, 'node_modules', common), join(project, 'node_modules', common), { recursive: true })
})
test.after(() => rmSync(project, { recursive: true }))

function subject() {
  const m = new ModelBuilder(random)
  const x = m.input([1, 3, 9, 7])
  const sums = m.add('Conv', [x, m.weights([8, 3, 3, 3])], { pads: [1, 1, 1, 1] })
  m.output(m.add('Relu', [sums]), m.add('ReduceMean', [sums], { axes: [2, 3], keepdims: 0 }))
  return { model: m.encode(), feeds: randomFeeds(m.inputs, random, {}) }
}

const { model, feeds } = subject()
const oracle = Oracle.load(model)
const [[inputName, input]] = Object.entries(feeds)
const html = (head: string) => ({ type: 'text/html', body: `<!doctype html><title>Cairn</title>${head}` })
const binary = (body: Uint8Array): Made => ({ type: 'application/octet-stream', body })

/** A page's script: compiles the model and runs it. */
const program = (runtime: string, compiler: string, options = '{}') => `
import { InferenceSession, Tensor } from '${runtime}'
import { compile } from '${compiler}'
const bytes = async name => (await fetch(name)).arrayBuffer()
const file = await compile(new Uint8Array(await bytes('/model.onnx')))
const session = await InferenceSession.create(file, ${options})
const data = new Float32Array(await bytes('/input.bin'))
const results = await session.run({ '${inputName}': new Tensor('float32', data, [${input.dims}]) })
const outputs = Object.entries(results).map(([name, { dims, data }]) => [name, { dtype: 'float32', dims, data: [...data] }])
globalThis.answer = { threads: session.threads, outputs: Object.fromEntries(outputs) }
`

type Page = Awaited<ReturnType<typeof openPage>>

/** What the script has computed is what onnxruntime computes. */
async function checkAnswer({ page, errors }: Page, threads = 1): Promise<void> {
  const answered = page.waitForFunction(() => (globalThis as { answer?: unknown }).answer, undefined, {
    timeout: 60_000
  })
  const answer = await answered.catch(() => assert.unreachable(`the page has no answer: ${errors.join('; ')}`))
  const { outputs, ...rest } = (await answer!.jsonValue()) as { threads: number; outputs: never }
  assert.equal(rest, { threads })
  assertClose(outputs, await (await oracle).run(feeds), 1e-5)
  assert.equal(errors, [])
}

async function siteOf(files: Readonly<Record<string, Made>>, headers = {}): Promise<Site> {
  const site = await Site.open({ folders: { '/cairn/': installed }, headers })
  const own = {
    '/model.onnx': binary(model),
    '/input.bin': binary(new Uint8Array(Float32Array.from(input.data).buffer))
  }
  const icon = { '/favicon.ico': { type: 'image/png', body: '' } }
  for (const [path, made] of Object.entries({ ...own, ...icon, ...files })) site.files.set(path, made)
  return site
}

const script = (body: string): Made => ({ type: 'text/javascript', body })
const noBrowser = await withoutChromium()

function inBrowser(name: string, body: () => Promise<void>): void {
  if (noBrowser) skip(name, noBrowser)
  else test(name, body)
}

inBrowser('a plain page compiles and runs by an import map, under a policy without eval', async () => {
  const imports = Object.fromEntries(
    Object.entries<{ default: string }>(manifest.exports).map(([name, target]) => [
      join('cairnjs', name),
      `/cairn${target.default.slice(1)}`
    ])
  )
  const map = `<script type="importmap" nonce="map">${JSON.stringify({ imports })}</script>`
  const policy = { 'content-security-policy': "default-src 'self'; script-src 'self' 'nonce-map' 'wasm-unsafe-eval'" }
  const page = html(`${map}<script type="module" src="/main.js"></script>`)
  const site = await siteOf({ '/': page, '/main.js': script(program('cairnjs', 'cairnjs/compiler')) }, policy)
  const opened = await openPage(`${site.origin}/`)
  await checkAnswer(opened)
  await opened.page.context().close()
  await site.close()
})

inBrowser(
  'one file has the runtime, one beside it the compiler as well, with the .wasm files beside them',
  async () => {
    const full = '/cairn/dist/runtime/cairn-full.min.js'
    const options = '{ numThreads: 3 }'
    const site = await siteOf(
      { '/': html('<script type="module" src="/main.js"></script>'), '/main.js': script(program(full, full, options)) },
      isolation
    )
    const opened = await openPage(`${site.origin}/`)
    await checkAnswer(opened, 3)
    const asked = (pattern: RegExp) => [...new Set(site.asked)].filter(path => pattern.test(path))
    assert.is(asked(/\.wasm$/).length, 1)
    assert.is(asked(/\.min\.js$/).length, 2)
    site.asked.length = 0
    const names = await opened.page.evaluate(async () => {
      const at: string = '/cairn/dist/runtime/cairn.min.js'
      return Object.keys(await import(at))
    })
    assert.equal(site.asked, [])
    // The other file's begin with an underscore.
    assert.equal(
      names.filter(name => !name.startsWith('_')).sort(),
      Object.keys(await import('../../runtime/index.js')).sort()
    )
    await opened.page.context().close()
    await site.close()
  }
)

inBrowser("Vite's dev server serves it, left out of optimising", async () => {
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'index.html': html('<script type="module" src="/main.js"></script>').body,
    'main.js': program('cairnjs', 'cairnjs/compiler'),
    'public/model.onnx': model,
    'public/input.bin': new Uint8Array(Float32Array.from(input.data).buffer)
  }
  for (const [name, body] of Object.entries(files)) {
    cpSync(join(root, 'LICENSE'), join(project, name))
    writeFileSync(join(project, name), body)
  }
  const server = await createServer({
    root: project,
    configFile: false,
    logLevel: 'silent',
    server: { port: 0, host: '127.0.0.1', watch: null, hmr: false },
    optimizeDeps: { exclude: ['cairnjs'] }
  })
  try {
    await server.listen()
    const opened = await openPage(server.resolvedUrls!.local[0])
    await checkAnswer({ ...opened, errors: opened.errors.filter(text => !/favicon|404/.test(text)) })
    await opened.page.context().close()
  } finally {
    await server.close()
  }
})

test('its types hold without skipLibCheck', () => {
  const names = Object.keys(manifest.exports).map(name => join('cairnjs', name))
  writeFileSync(
    join(project, 'uses.ts'),
    `${names.map((name, i) => `export * as a${i} from '${name}'`).join('\n')}
import { compile } from 'cairnjs/compiler'
import { InferenceSession } from 'cairnjs'
export const loaded = async (bytes: Uint8Array) => InferenceSession.create(await compile(bytes, { weights: 'f16' }))
export const wrong: number = await compile(new Uint8Array())
`
  )
  const config = {
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2022', 'dom', 'dom.iterable'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false
    },
    files: ['uses.ts']
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', project, '--pretty', 'false'], {
    cwd: project,
    encoding: 'utf8'
  })
  const found = stdout.split('\n').filter(line => /error TS/.test(line))
  // One is meant, so that a compiler that looks at nothing does not pass.
  assert.match(found[0] ?? '', /^uses\.ts\(\d+,14\): error TS2322/)
  assert.equal(found.slice(1), [])
})

test('npm runs no script of anything that is installed with it', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const shipped = Object.entries<{ dev?: true; devOptional?: true; hasInstallScript?: true }>(packages).filter(
    ([name, { dev, devOptional }]) => name && !dev && !devOptional
  )
  assert.ok(shipped.length >= Object.keys(manifest.dependencies).length)
  assert.equal(
    shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([name]) => name),
    []
  )
  assert.equal(
    ['preinstall', 'install', 'postinstall', 'prepare'].filter(name => name in manifest.scripts),
    []
  )
})

test("ONNX's schema is the package's, in one module without eval, with all 64 bits of an integer", () => {
  const text = readFileSync(join(root, 'dist', 'schema', 'onnx.js'), 'utf8')
  assert.not.match(text, /\beval\(|\bFunction\(|\brequire\(|^import\b|\bimport\(/m)
  const ends = ['9223372036854775807', '-9223372036854775808', '-1', String(2n ** 53n + 1n)]
  const bits = (value: string) => {
    const word = BigInt.asUintN(64, BigInt(value))
    return { low: Number(BigInt.asIntN(32, word)), high: Number(BigInt.asIntN(32, word >> 32n)), unsigned: false }
  }
  const attribute = [{ name: 'ends', type: 7, ints: ends.map(bits) as never[] }]
  const given = onnxProto.onnx.ModelProto.fromObject({
    ...onnxProto.onnx.ModelProto.decode(model).toJSON(),
    metadataProps: [{ key: 'classes', value: 'ö\n猫' }]
  })
  given.graph!.node!.push({ opType: 'Slice', attribute })
  const bytes = onnxProto.onnx.ModelProto.encode(given).finish()
  const decoded = packed.onnx.ModelProto.decode(new Uint8Array(bytes))
  assert.equal(decoded.graph!.node!.at(-1)!.attribute![0].ints!.map(String), ends)
  assert.equal(decoded.metadataProps[0].value, 'ö\n猫')
  assert.equal([...packed.onnx.ModelProto.encode(decoded).finish()], [...bytes])
})

test.run()
