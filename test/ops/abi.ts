// The kernels' calling conventions: parameter blocks, buffers and numbered choices of compiler/ops, of asm/ and of
// shaders/ are the same, by name and order. Swapped fields of equal size would pass every numeric test with square kernels.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { activations } from '../../compiler/ops/elementwise/activation.js'
import { binaries8 } from '../../compiler/ops/elementwise/binary8.js'
import { binaries } from '../../compiler/ops/elementwise/elementwise.js'
import { residuals } from '../../compiler/ops/elementwise/epilogue.js'
import { gridPaddings, samplings } from '../../compiler/ops/image/gridsample.js'
import { coordinateModes, interpolations, roundings } from '../../compiler/ops/image/interpolate.js'
import { roiModes } from '../../compiler/ops/image/roialign.js'
import { kernels } from '../../compiler/ops/kernels.js'
import { padModes } from '../../compiler/ops/movement/pad.js'
import { scatterings } from '../../compiler/ops/movement/scatter.js'
import { poolKinds } from '../../compiler/ops/pool/pool.js'
import { reductions } from '../../compiler/ops/reduce/reduce.js'
import { places } from '../../runtime/beside.js'
import { binary8Count } from '../../runtime/check/bytes.js'
import { borderCount, samplingCount } from '../../runtime/check/detectors.js'
import { binaryCount, reductionCount, scatteringCount } from '../../runtime/check/elements.js'
import {
  coordinateModeCount,
  interpolationCount,
  padModeCount,
  poolCount,
  roundingCount
} from '../../runtime/check/images.js'
import { activationCount } from '../../runtime/check/rule.js'
import { fieldsOf, rules } from '../../runtime/check/rules.js'
import { admitTraining } from '../../runtime/check/training.js'
import { winogradTaps } from '../../runtime/webgpu/program/program.js'
import { shaders } from '../../shaders/kernels.js'
import '../../shaders/later/bytes.js'
import '../../shaders/later/more.js'
import '../../shaders/later/training.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite('abi')
admitTraining()

/** Texts by path from the checkout. */
function textsOf(folder: string, extension: string): Map<string, string> {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith(extension)
  )
  return new Map(
    names.map(name => [`${folder}/${name.replaceAll('\\', '/')}`, readFileSync(join(root, folder, name), 'utf8')])
  )
}

const asm = textsOf('asm', '.ts')
const wgsl = textsOf('shaders', '.wgsl')
const sources = new Map([...asm, ...wgsl])

/** `name: type` pairs of an AssemblyScript class or parameter list, or of a WGSL struct. */
function pairs(text: string): [string, string][] {
  return [...text.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(match => [match[1], match[2]])
}

const classes = new Map(
  [...[...asm.values()].join('\n').matchAll(/@unmanaged\s+(?:export )?class (\w+) \{([^}]*)\}/g)].map(m => [
    m[1],
    pairs(m[2])
  ])
)
/** What a file of asm/ exports of others, by name; two files may have a helper of that name. */
const functionsOf = (entry: string) =>
  [...asm.get(entry)!.matchAll(/export \{([^}]*)\} from '\.\/([\w/-]+)'/g)].flatMap(([, names, file]) =>
    names.split(',').map((name): [string, [string, string][]] => {
      const signature = new RegExp(`export function ${name.trim()}\\(([^)]*)\\)`).exec(asm.get(`asm/${file}.ts`)!)
      return [name.trim(), pairs(signature?.[1] ?? '')]
    })
  )
const onlyMore = functionsOf('asm/more.ts').map(([name]) => name)
const functions = new Map([...functionsOf('asm/index.ts'), ...functionsOf('asm/more.ts')])
const exported = [...functions.keys()]

for (const [name, kernel] of Object.entries(kernels))
  test(`kernel ${name}`, () => {
    const parameters = functions.get(name)
    assert.ok(parameters, `asm/index.ts does not export ${name}`)
    const [block, ...buffers] = parameters!
    assert.equal(classes.get(block[1]), Object.entries(kernel.fields), `fields of ${block[1]}`)
    assert.equal(
      // AssemblyScript marks what a function does not use by an underscore.
      buffers.map(([buffer, type]) => [buffer.replace(/^_/, ''), type]),
      Object.keys(kernel.buffers).map(buffer => [buffer, 'usize']),
      `buffers of ${name}`
    )
  })

for (const [name, kernel] of Object.entries(kernels))
  test(`kernel ${name} has a rule that says what it touches`, () => {
    assert.ok(Object.hasOwn(rules, name))
    const own = fieldsOf(rules[name]).map(({ name: field, letter }) => [field, letter])
    assert.equal(
      own,
      Object.entries<string>(kernel.fields).map(([field, type]) => [field, type[0]])
    )
    assert.equal(Object.entries(rules[name].buffers), Object.entries(kernel.buffers))
  })

test('rules are of kernels, and know how many choices these have', () => {
  assert.equal(Object.keys(rules).sort(), Object.keys(kernels).sort())
  assert.equal(
    [
      activationCount,
      binaryCount,
      binary8Count,
      reductionCount,
      poolCount,
      padModeCount,
      interpolationCount,
      coordinateModeCount,
      roundingCount,
      scatteringCount,
      samplingCount,
      borderCount
    ],
    [
      activations,
      binaries,
      binaries8,
      reductions,
      poolKinds,
      padModes,
      interpolations,
      coordinateModes,
      roundings,
      scatterings,
      samplings,
      gridPaddings
    ].map(choices => Object.keys(choices).length)
  )
  assert.is(residuals.length, 3)
})

for (const file of Object.keys(places)) {
  const bytes = readFileSync(join(root, 'dist', 'runtime', file))
  if (!WebAssembly.validate(bytes)) {
    skip(file, 'this engine does not have its instructions')
    continue
  }
  test(`${file} has every kernel that it should, with as many parameters, and imports nothing but memory`, async () => {
    const module = await WebAssembly.compile(bytes)
    assert.equal(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }])
    const shared = file.includes('threads')
    const memory = new WebAssembly.Memory({ initial: 2, ...(shared ? { maximum: 2, shared } : {}) })
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    for (const { name, buffers } of Object.values(kernels)) {
      if (onlyMore.includes(name) && !file.includes('more')) {
        assert.is(exports[name], undefined, name)
        continue
      }
      assert.type(exports[name], 'function', name)
      assert.is((exports[name] as (...args: number[]) => void).length, 1 + Object.keys(buffers).length, name)
    }
  })
}

test("what kernels keep in memory is each thread's own; the module's is constant", () => {
  for (const [file, text] of asm) assert.not.match(text, /memory\.data\(/, `${file} reserves memory for all threads`)
})

test('kernels.ts lists every exported kernel', () => {
  const helpers = ['digest', 'enter', 'widen']
  assert.equal(Object.keys(kernels).sort(), exported.filter(name => !helpers.includes(name)).sort())
})

const structs = new Map(
  [...wgsl.values()].flatMap(text =>
    [...text.matchAll(/struct (\w+) \{([^}]*)\}/g)].map(([, name, body]) => [name, pairs(body)])
  )
)

/** A name as WGSL has it: what the language reserves ends in an underscore there. */
const reserved = ['from']
const wgslName = (name: string) => (reserved.includes(name) ? `${name}_` : name)

skip('widen8 in WGSL', 'weights are widened as they are uploaded')
skip('sums8 in WGSL', 'products of bytes sum their weights on the way')
for (const [name, kernel] of Object.entries(kernels)) {
  if (name === 'widen8' || name === 'sums8') continue
  test(`kernel ${name} in WGSL`, () => {
    // The GPU reads the blocks of those Winograd convolutions that plain ones replace there as those of the other.
    const shader = shaders[name] ?? (name in winogradTaps ? shaders.winograd4 : undefined)
    assert.ok(shader, `shaders/kernels.ts does not have ${name}`)
    const { block, added = [], halves = [], either = [] } = shader
    const buffers = Object.keys(kernel.buffers)
    const own = Object.entries(kernel.fields).map(([field, type]) => [wgslName(field), type])
    assert.equal(
      structs.get(block),
      [...own, ...buffers.map(buffer => [`${buffer}At`, 'u32']), ...added.map(field => [field, 'u32'])],
      `fields of ${block}`
    )
    for (const buffer of [halves, either].flat()) assert.ok(buffers.includes(buffer), `${name} has no ${buffer}`)
  })
}

test('shaders/kernels.ts lists nothing else', () => {
  assert.equal(
    Object.keys(shaders).filter(name => !kernels[name]),
    []
  )
})

const snake = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(' ', '_')
    .toUpperCase()

/** The `NAME: u32 = n` constants of one file. */
function constantsOf(file: string): Map<string, number> {
  const found = sources.get(file)!.matchAll(/const ([A-Z0-9_]+): u32 = (\d+)\b/g)
  return new Map([...found].map(match => [match[1], Number(match[2])]))
}

/** Every one of `names` that the file has a constant for stands at that position; `complete` asks for all of them. */
function checkNumbers(file: string, names: readonly string[], complete: boolean, prefix = ''): number {
  const constants = constantsOf(file)
  let seen = 0
  names.forEach((name, position) => {
    const value = constants.get(prefix + snake(name))
    if (value === undefined) assert.not(complete, `${file} has no ${snake(name)}`)
    else {
      assert.is(value, position, `${snake(name)} of ${file}`)
      seen++
    }
  })
  return seen
}

test('activations are numbered alike', () => {
  const names = Object.keys(activations)
  for (const file of ['asm/elementwise/activation.ts', 'shaders/elementwise/activation.wgsl']) {
    checkNumbers(file, names, true)
    assert.is(constantsOf(file).size, names.length)
  }
})

test('binary operators are numbered alike', () => {
  const names = Object.keys(binaries)
  const files = ['arithmetic', 'elementwise'].map(file => `asm/elementwise/${file}.ts`)
  assert.is(
    files.reduce((seen, file) => seen + checkNumbers(file, names, false), 0),
    names.length
  )
  checkNumbers('shaders/elementwise/binary.wgsl', names, true, 'BINARY_')
})

test('binary operators on bytes are numbered alike', () => {
  assert.ok(checkNumbers('shaders/elementwise/binary8.wgsl', binaries8, false, 'BINARY8_') > 0)
})

test('residuals are numbered alike', () => {
  for (const file of ['asm/elementwise/epilogue.ts', 'shaders/elementwise/epilogue.wgsl'])
    assert.ok(checkNumbers(file, residuals, false, 'RESIDUAL_') > 0)
})

test('reductions are numbered alike', () => {
  for (const file of ['asm/reduce/reduce.ts', 'shaders/reduce/tree.wgsl'])
    checkNumbers(file, Object.keys(reductions), true)
})

test('kinds of pooling are numbered alike', () => {
  checkNumbers('shaders/pool/pool.wgsl', poolKinds, true, 'POOL_')
})

test('the choices of resizing are numbered alike', () => {
  for (const file of ['asm/image/resize.ts', 'shaders/image/resize.wgsl'])
    for (const names of [interpolations, coordinateModes, roundings]) assert.ok(checkNumbers(file, names, false) > 0)
})

test('the choices of grids and regions are numbered alike', () => {
  for (const file of ['asm/image/gridsample.ts', 'shaders/image/gridsample.wgsl'])
    for (const names of [samplings, gridPaddings]) assert.ok(checkNumbers(file, names, false) > 0)
  for (const file of ['asm/image/roialign.ts', 'shaders/image/roialign.wgsl'])
    assert.ok(checkNumbers(file, roiModes, false) > 0)
})

test('pad modes are numbered alike', () => {
  assert.ok(checkNumbers('asm/movement/pad.ts', padModes, false) > 0)
  checkNumbers('shaders/movement/pad.wgsl', padModes, true, 'PAD_')
})

test("what becomes of a scatter's updates is numbered alike", () => {
  assert.ok(checkNumbers('asm/movement/scatter.ts', Object.keys(scatterings), false) > 0)
  checkNumbers('shaders/movement/scatter.wgsl', Object.keys(scatterings), true, 'SCATTER_')
})

test.run()
