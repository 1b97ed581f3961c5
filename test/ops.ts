// Every operator case on every backend against onnxruntime-node. CAIRN_ONLY=text picks cases by name.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, type CompileOptions } from '../compiler/index.js'
import { kernels } from '../compiler/ops/kernels.js'
import type { Program } from '../runtime/program.js'
import { argmax } from './ops/argmax.js'
import { compound } from './ops/compound.js'
import { conv } from './ops/conv.js'
import { convTranspose } from './ops/conv-transpose.js'
import { activations, elementwise } from './ops/elementwise.js'
import { epilogues } from './ops/epilogue.js'
import { gather } from './ops/gather.js'
import { gemm } from './ops/gemm.js'
import { gemmHalf } from './ops/gemm-half.js'
import { groupnorm } from './ops/groupnorm.js'
import { layernorm } from './ops/layernorm.js'
import { movement } from './ops/movement.js'
import { normalize } from './ops/normalize.js'
import { pad } from './ops/pad.js'
import { pool } from './ops/pool.js'
import { reduce } from './ops/reduce.js'
import { resize } from './ops/resize.js'
import { softmax } from './ops/softmax.js'
import { winograd } from './ops/winograd.js'
import { compileModel, presentBackends, Runner } from './support/cairn.js'
import { type Case, modelOf } from './support/case.js'
import { assertClose, isTelling, sameBits, tolerance } from './support/compare.js'
import { Guarded } from './support/guarded.js'
import { type Bindings, type Named, type Numbers, Oracle, randomFeeds } from './support/oracle.js'
import { baseSeed, Random } from './support/random.js'
import { skip } from './support/skip.js'

const families = {
  conv,
  convTranspose,
  winograd,
  gemm,
  gemmHalf,
  pool,
  reduce,
  softmax,
  normalize,
  groupnorm,
  layernorm,
  resize,
  pad,
  gather,
  argmax,
  activations,
  elementwise,
  epilogues,
  movement,
  compound
}

interface Prepared {
  readonly model: Uint8Array
  readonly runs: readonly { bindings: Bindings; feeds: Named; expected: Record<string, Numbers> }[]
}

/** The model, inputs and expected outputs of a case, shared by the backends. */
async function prepare(family: string, item: Case): Promise<Prepared> {
  const random = new Random(`${family} ${item.name}`)
  const builder = modelOf(item, random)
  const model = builder.encode()
  const oracle = item.expected ? undefined : await Oracle.load(model)
  const runs: Prepared['runs'][number][] = []
  for (const bindings of item.bindings ?? [{}]) {
    const feeds = randomFeeds(builder.inputs, random, bindings)
    const expected = oracle ? await oracle.run(feeds) : {}
    runs.push({ bindings, feeds, expected })
  }
  await oracle?.release()
  return { model, runs }
}

function checkKnown(actual: Record<string, Numbers>, outputs: readonly (readonly number[])[], limit: number): void {
  const expected = Object.fromEntries(
    Object.entries(actual).map(([name, { dtype, dims }], i) => [name, { dtype, dims, data: outputs[i] }])
  )
  assertClose(actual, expected, limit)
}

/** The case's own preference, or every kernel that the compiler could choose in turn. */
function variantsOf(model: Uint8Array, options: CompileOptions = {}): (readonly string[])[] {
  if (options.kernels?.length) return [options.kernels]
  const all = [...build(model, options).choices.values()].flatMap(({ choices }) => choices.map(({ kernel }) => kernel))
  return all.length ? [...new Set(all)].map(kernel => [kernel]) : [[]]
}

async function checkBetweenCanaries(
  program: Program,
  { feeds, expected, bindings }: Prepared['runs'][number],
  item: Case
): Promise<void> {
  const inputs = program.inputs.map(port => feeds[port.name].data)
  const outputs = (await Guarded.of(program, bindings)).run(inputs)
  const divided = (await Guarded.of(program, bindings, 3)).run(inputs)
  outputs.forEach((data, i) => assert.ok(sameBits(data, divided[i]), `output ${i} is another on three threads`))
  program.outputs.forEach(({ name }, i) => {
    const wanted = expected[name]
    if (!wanted) return
    // Kernels leave the rounding to binary16 to the session.
    const limit = wanted.dtype === 'float16' ? 1e-3 : item.tolerance?.limit
    assertClose({ [name]: { ...wanted, data: outputs[i] } }, { [name]: wanted }, limit)
  })
}

const only = process.env.CAIRN_ONLY
const backends = await presentBackends()
const names = new Set<string>()
const called = new Set<string>()
for (const [family, cases] of Object.entries(families)) {
  const test = suite(family)
  for (const item of cases as readonly Case[]) {
    const title = item.name.startsWith(item.op) ? item.name : `${item.op}, ${item.name}`
    const name = `${family}: ${title}`
    if (only && !name.includes(only)) continue
    if (names.has(name)) throw new Error(`two cases are named "${name}"`)
    names.add(name)
    let prepared: Promise<Prepared> | undefined
    for (const backend of backends) {
      if (item.without?.[backend]) {
        skip(`${name} on ${backend}`, item.without[backend])
        continue
      }
      test(`${title} (${backend}, seed ${baseSeed})`, async () => {
        prepared ??= prepare(family, item)
        const { model, runs } = await prepared
        const runner = await Runner.load(compileModel(model, item.options), backend)
        const limit = item.tolerance?.limit ?? tolerance
        for (const { feeds, expected } of runs) {
          const actual = await runner.run(feeds)
          if (item.expected) {
            checkKnown(actual, item.expected.outputs, limit)
            continue
          }
          assertClose(actual, expected, limit)
          assert.ok(Object.values(expected).some(isTelling), 'the case cannot fail: all its outputs are one number')
        }
        await runner.release()
      })
    }
    test(`${title} (kernels between canaries)`, async () => {
      prepared ??= prepare(family, item)
      const { model, runs } = await prepared
      for (const kernels of variantsOf(model, item.options)) {
        const { program } = build(model, { ...item.options, kernels })
        for (const { name } of program.kernels) called.add(name)
        for (const wanted of kernels)
          assert.ok(
            program.kernels.some(({ name }) => name === wanted),
            `${wanted} does not take the case`
          )
        for (const run of runs) await checkBetweenCanaries(program, run, item)
      }
    })
  }
  test.run()
}

/** What the project promises to run. */
const promised =
  `Conv ConvTranspose BatchNormalization Gemm MatMul MaxPool AveragePool GlobalAveragePool GlobalMaxPool LRN
  InstanceNormalization GroupNormalization LayerNormalization Relu LeakyRelu PRelu Clip Sigmoid Tanh Elu Selu HardSigmoid
  HardSwish Softplus Mish Gelu Erf Softmax LogSoftmax Add Sub Mul Div Pow Sqrt Exp Log Abs Neg Max Min Mean Sum ReduceMean
  ReduceMax ReduceSum ReduceL2 Concat Split Slice Pad Reshape Flatten Squeeze Unsqueeze Transpose Resize Upsample
  DepthToSpace SpaceToDepth Gather Expand Tile Where Equal Greater Less Range Shape Cast CastLike Constant ConstantOfShape
  Identity Dropout ArgMax`.split(/\s+/)

const coverage = suite('coverage')
coverage('every promised operator has a case', () => {
  const covered = new Set<string>()
  for (const cases of Object.values(families) as (readonly Case[])[])
    for (const { op, next = [] } of cases) for (const each of [op, ...next.map(step => step.op)]) covered.add(each)
  assert.equal(
    promised.filter(op => !covered.has(op)),
    []
  )
})
coverage('every kernel is called by a case', () => {
  assert.equal(
    Object.keys(kernels).filter(name => !called.has(name)),
    []
  )
})
if (!only) coverage.run()
