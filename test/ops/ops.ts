// Every operator case on every backend against onnxruntime-node. CAIRN_ONLY=text picks cases by name.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, type CompileOptions } from '../../compiler/index.js'
import { kernels, trainingKernels } from '../../compiler/ops/kernels.js'
import { rules } from '../../runtime/check/rules.js'
import { evaluate } from '../../runtime/file/dims.js'
import type { Program } from '../../runtime/file/program.js'
import { cutOutput } from '../../runtime/session/cut.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import type { Case } from '../support/cases/case.js'
import { casesOf, checkRun, type Family, families, only, type Prepared, prepare } from '../support/cases/op-cases.js'
import { assertClose, sameBits } from '../support/compare.js'
import { Guarded } from '../support/guarded.js'
import { baseSeed } from '../support/random.js'
import { isTaken } from '../support/share.js'
import { skip } from '../support/skip.js'

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
  program.outputs.forEach(({ name, shape }, i) => {
    const wanted = expected[name]
    if (!wanted) return
    const size = shape.map(dim => evaluate(dim, bindings))
    const { data, dims } = cutOutput(program, outputs, i, size)
    // Kernels leave the rounding to binary16 to the session.
    const limit = wanted.dtype === 'float16' ? 1e-3 : item.tolerance?.limit
    assertClose({ [name]: { ...wanted, dims, data: data as Float32Array } }, { [name]: wanted }, limit)
  })
}

/** A GPU that is a program compiles shaders for most cases: a usual run takes one in so many. */
const gpuInterval = 4
let [seen, left] = [0, 0]

const backends = await presentBackends()
const called = new Set<string>()
for (const family of Object.keys(families) as Family[]) {
  const test = suite(family)
  for (const each of casesOf(family)) {
    const { item, title, name } = each
    let prepared: Promise<Prepared> | undefined
    for (const backend of backends) {
      if (item.without?.[backend]) {
        skip(`${name} on ${backend}`, item.without[backend])
        continue
      }
      if (backend === 'webgpu' && !isTaken(seen++, gpuInterval)) {
        left++
        continue
      }
      test(`${title} (${backend}, seed ${baseSeed})`, async () => {
        prepared ??= prepare(each)
        const { model, runs } = await prepared
        const runner = await Runner.load(compileModel(model, item.options), backend)
        for (const run of runs) checkRun(item, await runner.run(run.feeds), run.expected)
        await runner.release()
      })
    }
    test(`${title} (kernels between canaries)`, async () => {
      prepared ??= prepare(each)
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

if (left) skip(`${left} of ${seen} cases on webgpu`, 'the seed takes the others; CAIRN_ALL=1 runs all')

/** What the project promises to run; test/ops/numerics.ts has IsNaN and IsInf, of which random numbers tell nothing. */
const promised =
  `Conv ConvTranspose BatchNormalization Gemm MatMul MaxPool AveragePool GlobalAveragePool GlobalMaxPool LRN
  InstanceNormalization GroupNormalization LayerNormalization Relu LeakyRelu PRelu Clip Sigmoid Tanh Elu Selu HardSigmoid
  HardSwish Softplus Mish Gelu Erf Softmax LogSoftmax Add Sub Mul Div Pow Sqrt Exp Log Abs Neg Max Min Mean Sum ReduceMean
  ReduceMax ReduceSum ReduceL2 Concat Split Slice Pad Reshape Flatten Squeeze Unsqueeze Transpose Resize Upsample
  DepthToSpace SpaceToDepth Gather Expand Tile Where Equal Greater Less Range Shape Cast CastLike Constant ConstantOfShape
  Identity Dropout ArgMax Mod CumSum OneHot TopK NonMaxSuppression GridSample RoiAlign Sin Cos Tan Asin Acos Atan Sinh
  Cosh Asinh Acosh Atanh Celu Shrink GatherElements MeanVarianceNormalization QuantizeLinear DequantizeLinear
  SoftmaxCrossEntropyLoss ScatterElements ScatterND GatherND MaxUnpool Einsum ConvInteger MatMulInteger QLinearConv
  QLinearMatMul DynamicQuantizeLinear LpPool GlobalLpPool LpNormalization Hardmax BitShift BitwiseAnd BitwiseOr BitwiseXor
  BitwiseNot RNN GRU LSTM DFT STFT HannWindow
  HammingWindow BlackmanWindow MelWeightMatrix Trilu EyeLike NonZero Compress ReverseSequence CenterCropPad Col2Im AffineGrid DeformConv Det`.split(
    /\s+/
  )

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
coverage('every kernel is called by a case, or by those of test/ops/gradients.ts or byte-kernels.ts', () => {
  assert.equal(
    Object.keys(kernels).filter(name => !called.has(name) && !trainingKernels[name] && !rules[name].bytes),
    []
  )
})
if (!only) coverage.run()
