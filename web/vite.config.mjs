// Builds the page into dist/web, for any server and any folder of it. Needs dist/runtime and dist/compiler.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The page imports this package as its users do; ONNX's schema, which the zoo writes, is made when building. */
const own = () => ({
  name: 'cairnjs',
  enforce: 'pre',
  resolveId(id) {
    if (/^cairnjs(\/|$)/.test(id)) return join(root, exports[`.${id.slice('cairnjs'.length)}`].default)
    return id.endsWith('/schema/onnx.js') ? join(root, 'dist', 'schema', 'onnx.js') : undefined
  }
})

const target = join(root, 'dist', 'web')

/** What the worker needs of the package, as pages without a bundler load it; `cairn serve` has them from the package itself. */
const runtime = join(root, 'dist', 'runtime')
const beside = ['cairn.min.js', 'cairn-full.min.js', 'cairn-explain.min.js', 'worker.js', 'session-worker.js'].concat(
  readdirSync(runtime).filter(name => name.endsWith('.wasm'))
)

const schema = '\0schema'

/**
 * The page's worker imports the package, and ONNX's schema, from the files that lie in cairn/, not copies of them in its bundle;
 * what explains is one of its own, which it imports when somebody asks.
 */
const whole = () => ({
  name: 'cairnjs as it is',
  enforce: 'pre',
  resolveId(id) {
    if (id === 'cairnjs/explain') return { id, external: true }
    if (/^cairnjs(\/(compiler|train))?$/.test(id)) return { id: 'cairnjs', external: true }
    return id.endsWith('/schema/onnx.js') ? schema : undefined
  },
  load: id => (id === schema ? `export { _onnx as default } from 'cairnjs'` : undefined),
  renderChunk: code =>
    code
      .replace(/(["'`])cairnjs\1/g, '"../cairn/cairn-full.min.js"')
      .replace(/(["'`])cairnjs\/explain\1/g, '"../cairn/cairn-explain.min.js"')
})

const bringAlong = () => ({
  name: 'cairnjs beside the page',
  /** Vite takes along what modules name, also where nothing is left of them. */
  generateBundle(_, bundle) {
    const texts = Object.values(bundle).map(({ code, source }) => code ?? (typeof source === 'string' ? source : ''))
    for (const name of Object.keys(bundle)) {
      const isNamed = texts.some(text => text.includes(name.replace(/^.*\//, '')))
      if (/(\.wasm|worker-[\w-]+\.js)$/.test(name) && !isNamed) delete bundle[name]
    }
  },
  closeBundle() {
    mkdirSync(join(target, 'cairn'), { recursive: true })
    for (const name of beside) copyFileSync(join(runtime, name), join(target, 'cairn', name))
  }
})

/** The service worker lies beside the page under a name of its own, and knows all files of the build. */
const offline = () => ({
  name: 'offline',
  closeBundle() {
    const path = join(target, 'sw.js')
    const files = readdirSync(target, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath ?? entry.path, entry.name))
      .filter(file => file !== path && !file.startsWith(join(target, 'models')) && file !== join(target, 'index.html'))
      .sort()
    const code = readFileSync(path, 'utf8')
    const names = files.map(file => file.slice(target.length + 1).replaceAll('\\', '/'))
    const hash = createHash('sha256').update(JSON.stringify(names)).update(code)
    for (const file of [...files, join(target, 'index.html')]) hash.update(readFileSync(file))
    const version = hash.digest('hex').slice(0, 16)
    writeFileSync(path, `const build = ${JSON.stringify({ version, files: names })}\n${code}`)
  }
})

const web = fileURLToPath(new URL('.', import.meta.url))

/** The compiler brings self-checks, so that they are in the page's chunk; how long plugins take is no fault. */
const checks = { ineffectiveDynamicImport: false, pluginTimings: false }

export default {
  root: web,
  base: './',
  logLevel: 'warn',
  plugins: [own(), bringAlong(), offline()],
  worker: { format: 'es', plugins: () => [whole(), own()], rollupOptions: { checks } },
  build: {
    outDir: target,
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      checks,
      input: { index: join(web, 'index.html'), sw: join(web, 'service', 'sw.ts') },
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') }
    }
  }
}
