// What the runtime believes that kernels touch: parameters of real calls are spoilt, buffers are made just as large as the
// rules say, and the kernels must not write outside them, nor the references read or write there. Like the fuzzer's files, what is
// drawn is the same in every run; CAIRN_FUZZ_SEED draws others.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, type CompileOptions } from '../../compiler/index.js'
import { kernels } from '../../compiler/ops/kernels.js'
import { checkBound } from '../../runtime/check/check.js'
import type { Fields } from '../../runtime/check/rule.js'
import { fieldsOf, rules } from '../../runtime/check/rules.js'
import { type Bindings, evaluate } from '../../runtime/file/dims.js'
import type { Program } from '../../runtime/file/program.js'
import { trainingProgram } from '../fuzz/seeds.js'
import { byteCases } from '../support/cases/byte-cases.js'
import { ByteLayers } from '../support/cases/byte-layers.js'
import { type Case, modelOf, takesHalves } from '../support/cases/case.js'
import { families, fixedCases } from '../support/cases/op-cases.js'
import { Guarded } from '../support/guarded.js'
import { Random } from '../support/random.js'

const seed = Number(process.env.CAIRN_FUZZ_SEED ?? 1)
const test = suite(`reach (seed ${seed})`)

/** Spoilt calls of each kernel that are made, how many are to be accepted, and steps and elements that one may take. */
const tries = 1500
const enough = 25
const mostWork = 2 ** 18
const largest = 2 ** 19

const random = new Random('reach', seed)

/** Parameters of real calls, by kernel. */
function realBlocks(): Map<string, number[][]> {
  const found = new Map<string, number[][]>()
  const take = ({ setup, calls, kernels: names }: Program, bindings: Bindings) => {
    for (const { kernel, parameters } of [...setup, ...calls]) {
      const { name } = names[kernel]
      if (!found.has(name)) found.set(name, [])
      found.get(name)!.push(parameters.map(parameter => evaluate(parameter, bindings)))
    }
  }
  const preferred = [[], ['gemmPacked'], ['gemmHalf'], ['winograd2'], ['winograd4']]
  for (const { family, item } of rare()) take(build(modelOf(item, random).encode(), { kernels: [family] }).program, {})
  for (const item of byteCases) take(new ByteLayers(random).programOf(item), item.bindings?.[0] ?? {})
  for (let i = 0; i < 20; i++) take(trainingProgram(random), { N: random.int(1, 5) })
  for (const [i, item] of random.shuffled(fixedCases).entries()) {
    if (i >= 700 && Object.keys(kernels).every(name => found.has(name))) break
    const bytes = modelOf(item, random).encode()
    if (bytes.length > 50_000) continue
    const weights = takesHalves(item) ? random.pick(['f32', 'f16', 'int8'] as const) : 'f32'
    const options: CompileOptions = { weights, kernels: random.pick(preferred), ...item.options }
    take(build(bytes, options).program, item.bindings?.[0] ?? {})
  }
  return found
}

/** Cases of kernels that few layers run on. */
function rare(): { family: string; item: Case }[] {
  const fixed = (families.winograd as readonly Case[]).filter(
    ({ bindings, operands }) => !bindings && isSmall(operands)
  )
  return ['winograd2', 'winograd4', 'winograd2x5'].flatMap(family => fixed.map(item => ({ family, item })))
}

const isSmall = (operands: Case['operands']) =>
  operands.every(operand => !operand || (operand.dims as number[]).reduce((a, b) => a * b, 1) < 4096)

/** Some parameters changed, to what lies near them or far away. */
function spoilt(parameters: readonly number[], letters: string): number[] {
  const changed = [...parameters]
  for (let times = random.pick([0, 1, 1, 2, 3]); times > 0; times--) {
    const at = random.int(0, changed.length - 1)
    const old = changed[at]
    const near = [0, 1, 2, 3, 4, 5, 7, 8, 12, old + 1, Math.max(old - 1, 0), old * 2, Math.floor(old / 2)]
    const far = letters[at] === 'f' ? [-1, 1e-30, 1e30, Number.NaN, 0.1] : [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 30]
    changed[at] = random.pick(random.chance(0.85) ? near : far)
  }
  return changed
}

/** A program of one call whose buffers are just large enough; undefined where the rule refuses it. */
function programOf(name: string, parameters: readonly number[]): { program: Program; block: Fields } | undefined {
  const rule = rules[name]
  const fields = fieldsOf(rule)
  const read = (value: number, letter: string) =>
    letter === 'f' ? Math.fround(value) : letter === 'i' ? value | 0 : value >>> 0
  const block = Object.fromEntries(fields.map(({ name: field, letter }, i) => [field, read(parameters[i], letter)]))
  if (!(rule.legal?.(block) ?? true)) return undefined
  const spans = Object.values(rule.touches(block))
  const sizes = spans.map(({ low, high }) => Math.max(high, 0) - low)
  if (sizes.some(size => !(size <= largest))) return undefined
  const port = (storage: number) => ({
    name: String(storage),
    dtype: 'float32',
    shape: [sizes[storage]],
    storage,
    offset: 0
  })
  const all = sizes.map((_, i) => i)
  const accesses = Object.values(rule.buffers)
  const names = Object.keys(rule.buffers)
  const program: Program = {
    name,
    free: [],
    inputs: all.map(port),
    outputs: all.filter(i => accesses[i] === 'write').map(port),
    narrow: all.filter(i => rule.bytes?.includes(names[i])),
    storages: sizes,
    constants: [],
    derived: [],
    states: [],
    counts: [],
    faults: [],
    setup: [],
    kernels: [{ name, fields: fields.map(({ letter }) => letter).join('') }],
    calls: [
      {
        kernel: 0,
        node: name,
        parameters,
        arguments: all.map(i => ({ space: 'storage', index: i, offset: -spans[i].low, access: accesses[i] }))
      }
    ],
    constraints: [],
    parameters: 0,
    macs: 0
  }
  try {
    checkBound(program, {}, mostWork)
  } catch {
    return undefined
  }
  return { program, block }
}

/** Elements that notes what is touched outside `length`, in front of `at` or behind. */
function watched(data: Float64Array, at: number, outside: (index: number) => void): Float64Array {
  const view = data.subarray(at)
  return new Proxy(view, {
    get(target, key) {
      const index = typeof key === 'string' ? Number(key) : Number.NaN
      if (!Number.isNaN(index) && !(index >= 0 && index < target.length)) outside(index)
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set(target, key, value) {
      const index = Number(key)
      if (!(index >= 0 && index < target.length)) outside(index)
      return Reflect.set(target, key, value)
    }
  })
}

/** References that step backwards go by the whole buffer, which no view can watch; that of halves has them as doubles. */
const unwatched = ['unary', 'binary', 'where', 'slope', 'gemmHalf', 'lookup', 'binary8', 'quantize', 'dequantize']

const blocks = realBlocks()

for (const name of Object.keys(kernels))
  test(`${name} stays inside the buffers that its rule asks for`, async () => {
    const real = blocks.get(name) ?? []
    assert.ok(real.length > 0, 'no real call was found')
    const letters = fieldsOf(rules[name])
      .map(({ letter }) => letter)
      .join('')
    let accepted = 0
    for (let i = 0; i < tries && accepted < enough; i++) {
      const parameters = spoilt(random.pick(real), letters)
      const made = programOf(name, parameters)
      if (!made) continue
      accepted++
      const { program, block } = made
      const feeds = program.storages.map((size, at) =>
        Float32Array.from(
          program.narrow.includes(at) ? random.ints(size as number, [0, 255]) : random.values(size as number)
        )
      )
      const what = JSON.stringify(block)
      for (const threads of [1, 3]) {
        const guarded = await Guarded.of(program, {}, threads)
        try {
          guarded.run(feeds)
        } catch (error) {
          throw new Error(`${(error as Error).message}, ${threads} threads: ${what}`)
        }
      }
      if (unwatched.includes(name)) continue
      const buffers = Object.keys(rules[name].buffers).map((buffer, at) => {
        const outside = (index: number) => assert.unreachable(`the reference is at ${index} of ${buffer}: ${what}`)
        return [buffer, watched(Float64Array.from(feeds[at]), program.calls[0].arguments[at].offset as number, outside)]
      })
      kernels[name].reference(block, Object.fromEntries(buffers))
    }
    assert.is(accepted, enough, `only ${accepted} of ${tries} calls were accepted`)
  })

/** Whole numbers at the ends of their ranges. */
const ends = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]

for (const name of Object.keys(kernels))
  test(`${name} stays inside its buffers with every number at an end of its range`, async () => {
    const [real] = blocks.get(name) ?? []
    for (const [field, { letter }] of fieldsOf(rules[name]).entries())
      for (const end of letter === 'f' ? [] : ends) {
        const made = programOf(name, real.with(field, end))
        if (!made) continue
        const guarded = await Guarded.of(made.program, {}, 1)
        const feeds = made.program.storages.map(size => Float32Array.from(random.values(size as number)))
        try {
          guarded.run(feeds)
        } catch (error) {
          throw new Error(`${(error as Error).message}: ${JSON.stringify(made.block)}`)
        }
      }
  })

/** The parameters of a real call with some fields changed. */
function changed(name: string, fields: Fields): number[] {
  const [real] = blocks.get(name) ?? []
  return fieldsOf(rules[name]).map(({ name: field }, i) => fields[field] ?? real[i])
}

for (const name of ['conv', 'convTranspose'])
  test(`${name} of no filters writes nothing`, async () => {
    const made = programOf(name, changed(name, { groups: 1, channels: 8, filters: 0, residual: 0 }))
    assert.ok(made, 'the call is refused')
    const guarded = await Guarded.of(made.program, {}, 1)
    guarded.run(made.program.storages.map(size => Float32Array.from(random.values(size as number))))
  })

for (const name of ['winogradFilters', 'conv', 'convTranspose', 'winograd4'])
  test(`${name} is not believed billions of groups of nothing`, () => {
    assert.ok(programOf(name, changed(name, {})), 'the real call is refused')
    assert.not(programOf(name, changed(name, { groups: 2 ** 32 - 1, channels: 0, filters: 0 })))
  })

test.run()
