// Sets up and builds whatever is out of date: dependencies, the WebAssembly kernels, the shaders, the TypeScript; with
// --page also the browser page. --force builds it all, out of date or not, and --readable with it leaves the shaders as they
// stand, for errors that name lines and functions of theirs.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { deltaOf } from './delta.mjs'
import { shorten } from './shorten.mjs'
import { reachedTypes, withoutComments } from './types.mjs'

const self = fileURLToPath(import.meta.url)
const root = join(dirname(self), '..')
const force = process.argv.includes('--force')
const npm = process.env.npm_execpath

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) throw error
  if (status !== 0) process.exit(1)
}

/** The `asc` processes of all binaries, as many at a time as there are cores. */
async function assemble(targets) {
  const waiting = [...targets]
  const work = async () => {
    for (let target = waiting.shift(); target; target = waiting.shift()) await assembleOne(target)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

function assembleOne(target) {
  const parts = [
    'index',
    ...(/more|standalone/.test(target) ? ['more'] : []),
    ...(target.startsWith('standalone') ? ['standalone/index'] : [])
  ]
  const entries = (target === 'barrier' ? [target] : parts).map(part => `asm/${part}.ts`)
  const args = [bin('assemblyscript', 'bin/asc.js'), ...entries, '--config', 'asconfig.json', '--target', target]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve() : process.exit(1)))
  })
}

/** Shaders that few models need, by the file in shaders/later/ that brings them. */
const later = {
  more: ['det', 'recurrent'],
  training: ['conv-gradient', 'derivative', 'dropout', 'optimise', 'pool-gradient'],
  bytes:
    'binary8 bytes conv32 conv8 depthwise8 dots dots-packed gemm8 lookup pool8 product8 quads quantize requantise steps windows8'.split(
      ' '
    )
}
const shaderModules = ['sources', ...Object.keys(later).map(name => `later/${name}-sources`)].map(
  name => `dist/shaders/${name}.js`
)

/** All shaders as one module, and rare ones as others; their texts small, or with `--readable` as they stand. */
function gatherShaders() {
  const files = filesUnder('shaders').filter(isShader)
  const whole = Object.fromEntries(files.map(file => [basename(file, '.wgsl'), readFileSync(file, 'utf8')]))
  const texts = process.argv.includes('--readable') ? whole : shorten(whole)
  const target = join(root, 'dist', 'shaders')
  mkdirSync(join(target, 'later'), { recursive: true })
  const write = (file, wanted) => {
    const own = Object.fromEntries(Object.entries(texts).filter(([name]) => wanted(name)))
    writeFileSync(join(target, file), `export const sources = ${JSON.stringify(own)}\n`)
  }
  write('sources.js', name => !Object.values(later).flat().includes(name))
  for (const [file, names] of Object.entries(later)) write(`later/${file}-sources.js`, name => names.includes(name))
}

/** What is loaded later is nothing that a worker asks for: its sessions are of one thread, of bytes and a module that it is given. */
const nothingLater = {
  name: 'nothing later',
  setup({ onLoad, onResolve }) {
    const nowhere = ({ kind, path }) => (kind === 'dynamic-import' ? { path, namespace: 'nothing' } : undefined)
    onResolve({ filter: /./ }, nowhere)
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }))
  }
}

/**
 * The scripts of workers in one file each, which is good as a module and as a plain script: so they run wherever a bundler,
 * or whoever bundles, has put a copy of them.
 */
async function bundleWorkers() {
  const { build } = await import('esbuild')
  const entryPoints = ['worker', 'session-worker'].map(name => join(root, 'runtime', `${name}.ts`))
  const target = { format: 'iife', target: 'es2022', define: { 'import.meta.url': 'undefined' } }
  const plugins = [nothingLater]
  const small = { minify: true, legalComments: 'none' }
  await build({ entryPoints, bundle: true, outdir: join(root, 'dist', 'runtime'), plugins, ...small, ...target })
}

/** TypeScript, which writes nothing anew that has not changed, and then of its declarations only those that entries lead to. */
function compile() {
  const tsc = () => run(process.execPath, [bin('typescript', 'bin/tsc')])
  tsc()
  if (reachedTypes(root).missing.length) {
    rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true })
    tsc()
  }
  const { reached } = reachedTypes(root)
  const types = shippedFolders.flatMap(folder => filesUnder(join('dist', folder))).filter(file => /\.d\.ts$/.test(file))
  for (const file of types) if (!reached.has(file) && !isMade(file)) rmSync(file)
}

/** The modules that are shipped, without what only readers of the sources need; `--readable` leaves them. */
async function minify() {
  if (process.argv.includes('--readable')) return
  const { transform } = await import('esbuild')
  const files = shippedFolders.flatMap(folder => filesUnder(join('dist', folder)))
  const own = files.filter(file => file.endsWith('.js') && !isMade(file) && !/worker\.js$/.test(file))
  await Promise.all(
    own.map(async file => {
      const text = readFileSync(file, 'utf8')
      // Bundlers read these comments.
      if (text.includes('webpackIgnore')) return
      // Syntax stays beside import(): where a name is put into one, bundlers would look for what is not meant for them.
      const minifySyntax = !text.includes('import(')
      const small = { minifyWhitespace: true, minifyIdentifiers: true, minifySyntax, legalComments: 'none' }
      const options = { ...small, format: 'esm', target: 'es2022' }
      writeFileSync(file, (await transform(text, options)).code)
    })
  )
}

function shortenTypes() {
  if (process.argv.includes('--readable')) return
  const shorter = withoutComments(root)
  for (const file of shippedFolders.flatMap(folder => filesUnder(join('dist', folder)))) {
    const text = /\.d\.ts$/.test(file) && !/\.min\.|\.wasm\./.test(file) ? shorter(file) : undefined
    if (text !== undefined) writeFileSync(file, text)
  }
}

const isShader = file => file.endsWith('.wgsl')

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** What the build makes beside what it compiles. */
const isMade = file =>
  /\.(wasm|delta)$|\.wasm\.d\.ts$|\.min\.|[\\/]shaders[\\/](later[\\/]\w+-)?sources\.js$|\.cjs$|\.d\.cts$|[\\/](compile-worker|compile-alone|inlined|barrier)\.js$|[\\/]compile[\\/]stamp\.js$|[\\/]pool[\\/]detectors\.js$/.test(
    file
  )

/** Takes away what was compiled of files that have moved since: the test runner, and npm, would take it along. */
function removeOrphans(folder) {
  if (!existsSync(join(root, 'dist', folder))) return
  for (const file of filesUnder(join('dist', folder))) {
    const source = join(root, relative(join(root, 'dist'), file)).replace(/(\.d\.ts|\.js)$/, '.ts')
    if (!existsSync(source) && !isMade(file)) rmSync(file)
  }
}

function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of files) if (existsSync(file)) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

/** Runs `step` unless its inputs are the ones that it last succeeded with. */
async function stage(name, files, outputs, step) {
  const stamp = join(root, 'dist', `.${name}`)
  const digest = digestOf(files)
  const made = [...outputs.map(output => join(root, output)), stamp].every(existsSync)
  if (!force && made && readFileSync(stamp, 'utf8') === digest) return
  await step()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}

const installed = join(root, 'node_modules', '.package-lock.json')
const lock = join(root, 'package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('cairn: installing dependencies (once)')
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  if (npm) run(process.execPath, [npm, ...args])
  else run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
}

const bin = (name, file) => join(root, 'node_modules', name, file)

const { targets: settings } = JSON.parse(readFileSync(join(root, 'asconfig.json'), 'utf8'))
const targets = Object.keys(settings)
const binaries = targets.map(target => settings[target].outFile)
await stage('asm', [...filesUnder('asm'), join(root, 'asconfig.json')], binaries, () => {
  console.error('cairn: building the WebAssembly kernels')
  for (const file of existsSync(join(root, 'dist/runtime')) ? filesUnder('dist/runtime') : [])
    if (file.endsWith('.wasm') && !binaries.some(binary => join(root, binary) === file)) rmSync(file)
  return assemble(targets)
})

const kernels = ['dist/compiler/standalone/plain.wasm', 'dist/build/standalone-relaxed.wasm'].map(file =>
  join(root, file)
)
const delta = 'dist/compiler/standalone/relaxed.delta'
await stage('delta', [...kernels, self, join(root, 'scripts', 'delta.mjs')], [delta], () => {
  const [plain, relaxed] = kernels.map(file => readFileSync(file))
  writeFileSync(join(root, delta), deltaOf(plain, relaxed))
})

await stage('inline', [join(root, 'dist/runtime/cairn-more.wasm'), self], ['dist/runtime/inlined.js'], () => {
  const binary = gzipSync(readFileSync(join(root, 'dist/runtime/cairn-more.wasm')), { level: 9 }).toString('base64')
  const text = `export const inlined = 'data:application/gzip;base64,${binary}'\n`
  writeFileSync(join(root, 'dist/runtime/inlined.js'), text)
})

await stage('barrier', [join(root, 'dist/build/barrier.wasm'), self], ['dist/runtime/cpu/barrier.js'], () => {
  const binary = readFileSync(join(root, 'dist/build/barrier.wasm')).toString('base64')
  mkdirSync(join(root, 'dist/runtime/cpu'), { recursive: true })
  writeFileSync(join(root, 'dist/runtime/cpu/barrier.js'), `export const barrier = '${binary}'\n`)
})

const shaderInputs = [...filesUnder('shaders').filter(isShader), join(root, 'scripts', 'shorten.mjs'), self]
await stage('wgsl', shaderInputs, shaderModules, gatherShaders)

const { bundleOrt, bundlePages, bundleSchema, ortBundles, pageBundles, schemaInputs } = await import('./bundle.mjs')
const { bundleDetectors, detectorBundle, detectorInputs } = await import('./bundle.mjs')
await stage('schema', schemaInputs, ['dist/schema/onnx.js'], bundleSchema)

const shippedFolders = ['cli', 'compiler', 'explain', 'models', 'ort', 'runtime', 'shaders', 'train']
const compiled = [...shippedFolders, ...['bench', 'test', 'scripts']]
const sources = [...compiled, 'schema'].flatMap(filesUnder)
await stage('tsc', [...sources, join(root, 'tsconfig.json'), self], ['dist/runtime/index.js'], async () => {
  console.error('cairn: compiling the TypeScript')
  if (force) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true })
  for (const folder of compiled) removeOrphans(folder)
  compile()
  await bundleWorkers()
  await minify()
  shortenTypes()
})

await stage('detectors', [...detectorInputs.flatMap(filesUnder), self], [detectorBundle], bundleDetectors)

const shipped = ['compiler', 'explain', 'runtime', 'train', 'schema', 'shaders'].flatMap(filesUnder)
await stage('bundles', [...shipped, ...filesUnder('ort'), ...schemaInputs], pageBundles, bundlePages)

const manifest = join(root, 'package.json')
await stage('ort', [...shipped, ...filesUnder('ort'), ...schemaInputs, manifest], ortBundles, () => {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
  return bundleOrt(`${version}-${digestOf(shipped).slice(0, 12)}`)
})

if (process.argv.includes('--page')) {
  const inputs = [
    ...['asm', 'compiler', 'explain', 'models', 'runtime', 'schema', 'shaders', 'train', 'web'].flatMap(filesUnder),
    lock,
    join(root, 'package.json')
  ]
  await stage('web', inputs, ['dist/web/index.html'], () => {
    console.error('cairn: building the browser page')
    run(process.execPath, [bin('vite', 'bin/vite.js'), 'build', 'web', '--config', 'web/vite.config.mjs'])
  })
}
