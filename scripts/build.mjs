// Sets up and builds whatever is out of date: dependencies, the WebAssembly kernels, the TypeScript.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const force = process.argv.includes('--force')
const npm = process.env.npm_execpath

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) throw error
  if (status !== 0) process.exit(1)
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .filter(file => !file.endsWith('kernels.generated.ts'))
    .sort()
}

function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of files) if (existsSync(file)) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

/** Runs `step` unless its inputs are the ones that it last succeeded with. */
function stage(name, files, output, step) {
  const stamp = join(root, 'dist', `.${name}`)
  const digest = digestOf(files)
  if (!force && existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  step()
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

stage('asm', [...filesUnder('asm'), join(root, 'asconfig.json')], 'runtime/kernels.generated.ts', () => {
  console.error('cairn: building the WebAssembly kernels')
  mkdirSync(join(root, 'dist', 'asm'), { recursive: true })
  run(process.execPath, [bin('assemblyscript', 'bin/asc.js'), '--config', 'asconfig.json', '--target', 'simd'])
  const wasm = readFileSync(join(root, 'dist', 'asm', 'cairn.wasm'))
  writeFileSync(
    join(root, 'runtime', 'kernels.generated.ts'),
    `// Written by scripts/build.mjs from asm/: the kernels' WebAssembly module, base64.\nexport const simd: string =\n  '${wasm.toString('base64')}'\n`
  )
})

const sources = ['compiler', 'runtime', 'models', 'bench', 'test', 'scripts'].flatMap(filesUnder)
const generated = join(root, 'runtime', 'kernels.generated.ts')
stage('tsc', [...sources, generated, join(root, 'tsconfig.json')], 'dist/runtime/index.js', () => {
  console.error('cairn: compiling the TypeScript')
  run(process.execPath, [bin('typescript', 'bin/tsc')])
})
