// What the linter and .dependency-cruiser.mjs cannot say of the sources.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../support/root.js'

const test = suite('house rules')
const folders = [
  'cli',
  'compiler',
  'runtime',
  'ort',
  'train',
  'explain',
  'models',
  'asm',
  'shaders',
  'test',
  'bench',
  'scripts',
  'web'
]

interface Source {
  /** Path from the checkout, with slashes. */
  readonly path: string
  readonly text: string
  /** What it imports or exports from: paths from the checkout without extension, or package names. */
  readonly imports: readonly string[]
}

function sourcesUnder(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => {
      const file = join(root, folder, name)
      const path = join(folder, name).replaceAll('\\', '/')
      const text = readFileSync(file, 'utf8')
      const imports = [
        ...text.matchAll(/^(?:import|export|\} from)\b(?:[^'\n]* from )?\s*'([^'\n]+)'$|\bimport\('([^'\n]+)'\)/gm)
      ].map(match => {
        const name = match[1] ?? match[2]
        return name.startsWith('.')
          ? normalize(join(dirname(path), name))
              .replaceAll('\\', '/')
              .replace(/\.js$/, '')
          : name
      })
      return { path, text, imports }
    })
}

const existing = folders.filter(folder => readdirSync(root).includes(folder))
const sources = existing.flatMap(sourcesUnder)
const inFolder = (folder: string) => sources.filter(({ path }) => path.startsWith(`${folder}/`))

/** Every import of `files` passes `allowed`. */
function check(files: readonly Source[], allowed: (name: string, path: string) => boolean): void {
  assert.ok(files.length > 0)
  const wrong = files.flatMap(({ path, imports }) =>
    imports.filter(name => !allowed(name, path)).map(name => `${path} imports ${name}`)
  )
  assert.equal(wrong, [])
}

test('no folder has more than 15 loose source files, and no file more than 400 lines', () => {
  const counts = new Map<string, number>()
  const long: string[] = []
  for (const folder of [...existing, 'site', 'examples'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|mjs|js|wgsl|css|html|sh)$/.test(name) || /(^|[\\/])(node_modules|\.next|dist)[\\/]/.test(name))
        continue
      const path = join(folder, name)
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
      if (readFileSync(join(root, path), 'utf8').split('\n').length > 401) long.push(path)
    }
  assert.equal(
    [...counts].filter(([, count]) => count > 15),
    []
  )
  assert.equal(long, [])
})

test('runtime/ evaluates no text', () => {
  for (const { path, text } of inFolder('runtime')) assert.not.match(text, /\beval\(|new Function\(/, path)
})

test('runtime/ names no operator', () => {
  for (const { path, text } of inFolder('runtime'))
    assert.not.match(text, /'(Conv|ConvTranspose|Gemm|MatMul|MaxPool|Relu|Concat)'/, path)
})

test('passes name no backend', () => {
  for (const { path, text } of inFolder('compiler/passes')) assert.not.match(text, /\b(wasm|webgpu|wgsl|simd)\b/i, path)
})

test('web/ uses the package by its exported names, the zoo, libraries for charts and storage, and ImageNet’s names', () => {
  check(inFolder('web'), name =>
    /^(web\/|models\/index$|cairnjs(\/compiler|\/train|\/explain|\/webgpu)?$|chart\.js$|idb$|@tensorflow-models\/mobilenet\/)/.test(
      name
    )
  )
})

test('kernels of one operator family have the same stem everywhere', () => {
  const stems = (folder: string) => inFolder(folder).map(({ path }) => path.split('/').pop())
  const operators = stems('compiler/ops')
  const helpers = (
    'arithmetic band8 barrier check command component conv-columns conv-packed conv-params depthwise depthwise-columns ' +
    'depthwise8 depthwise8-columns depthwise8-words epilogue gemm-packed ' +
    'index lanes loops madd math more narrow panels pool-columns pool-params port product product8 rows thread tile trigonometry unpack ' +
    'wasi_snapshot_preview1 weights wide winograd-params winograd-transform winograd8 words8'
  ).split(' ')
  assert.equal(
    stems('asm').filter(stem => !operators.includes(stem!) && !helpers.includes(stem!.replace('.ts', ''))),
    []
  )
  const shared = (
    'admit arena-scalar arena-vector binary blocks bytes bytes-sources.d conv-direct conv-product convtranspose ' +
    'dense depthwise8 dispatch dots dots-packed element-f16 element-f32 epilogue floats image index kernels lanes ' +
    'loops matmul more more-sources.d nest nms-rows operands panels patches pixel pool-floats product product8 quads ' +
    'row-panel sources.d steps sums8 taps together together-subgroups top training training-sources.d tree weights ' +
    'windows windows8 winograd-filters winograd-product winograd-transform'
  ).split(' ')
  const shaders = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(ts|wgsl)$/.test(file))
    .map(file => basename(file).replace(/\.(ts|wgsl)$/, ''))
  assert.equal(
    shaders.filter(stem => !operators.includes(`${stem}.ts`) && !shared.includes(stem)),
    []
  )
})

test.run()
