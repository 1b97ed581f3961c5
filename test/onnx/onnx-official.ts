// The official ONNX tests on every backend; their files are not in the repository. CAIRN_ONNX_TESTS names their folder,
// CAIRN_ONLY=text picks tests by name.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { type BackendName, compileModel, presentBackends, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { type Official, officialData, runsOf, suites, testsOf, withConstants } from '../support/onnx/official.js'
import { skip } from '../support/skip.js'
import { excluded } from './models/excluded.js'

/** What the issue asks for; a test with another operator is not eligible. */
const promised = new Set(
  `Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization
  BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im
  Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DeformConv
  DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike
  Flatten Floor GRU Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater
  GreaterOrEqual GridSample HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM
  LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max
  MaxPool MaxUnpool Mean MelWeightMatrix MeanVarianceNormalization Min Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or
  PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
  ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence
  RoiAlign Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt SequenceConstruct
  SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax
  SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu
  Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor`.split(/\s+/)
)
const only = process.env.CAIRN_ONLY

/** Also of `name@backend`. */
function exclusionOf(name: string) {
  const found = reasons.find(({ pattern }) => pattern.test(name))
  if (found) found.used = true
  return found
}

const reasons = Object.entries(excluded).flatMap(([reason, names]) =>
  names.split(/\s+/).map(name => ({ reason, pattern: new RegExp(`^${name.replaceAll('*', '.*')}$`), used: false }))
)

async function check(official: Official, backend: BackendName): Promise<void> {
  for (const { model, settings, feeds, expected } of runsOf(official)) {
    const runner = await Runner.load(compileModel(model, { settings }), backend)
    try {
      // 1e-3 of the largest element, and 1e-5 where all are small.
      assertClose(await runner.run(feeds), expected, 1e-3, 1e-2)
    } finally {
      await runner.release()
    }
  }
}

const data = officialData()
if (data) {
  const backends = await presentBackends()
  const tests = suites.flatMap(name => testsOf(data, name))
  const eligible = tests.filter(({ operators }) => [...operators].every(operator => promised.has(operator)))
  const counts = new Map(backends.map(backend => [backend, { tried: 0, passed: 0 }]))
  const left = new Map<string, number>()
  const test = suite('official ONNX tests')
  const everywhere = async (official: Official) => {
    for (const backend of backends) await check(official, backend)
  }
  for (const official of eligible) {
    const { name } = official
    if (only && !name.includes(only)) continue
    const exclusion = exclusionOf(name)
    if (exclusion) {
      left.set(exclusion.reason, (left.get(exclusion.reason) ?? 0) + 1)
      test(`${name} is still excluded for a reason`, async () => {
        const passed = await everywhere(official).then(
          () => true,
          () => false
        )
        assert.not(passed, `it passes; take it out of test/onnx/models/excluded.ts (${exclusion.reason})`)
      })
      continue
    }
    for (const backend of backends) {
      if (exclusionOf(`${name}@${backend}`)) continue
      const count = counts.get(backend)!
      count.tried++
      test(`${name} (${backend})`, async () => {
        await check(official, backend)
        count.passed++
      })
    }
  }
  const quantised = tests.filter(({ operators }) => [...operators].some(op => /^QLinear|Integer$/.test(op)))
  for (const official of quantised) {
    if (only && !official.name.includes(only)) continue
    test(`${official.name} with constants, as files have them, is made of layers of bytes`, async () => {
      for (const { model, feeds, expected } of runsOf(official)) {
        const fixed = withConstants(model, feeds)
        const { program } = build(fixed)
        const names = program.kernels.map(({ name }) => name)
        assert.ok(
          names.some(name => /^(conv|gemm|depthwise)8$|^conv32$/.test(name)),
          `it calls ${names}`
        )
        const [[first, x]] = Object.entries(feeds)
        for (const backend of backends) {
          const runner = await Runner.load(compileModel(fixed), backend)
          assertClose(await runner.run({ [first]: x }), expected, 0)
          await runner.release()
        }
      }
    })
  }
  test('every exclusion names a test', () => {
    if (!only)
      assert.equal(
        reasons.filter(({ used }) => !used).map(({ pattern }) => pattern.source),
        []
      )
    console.log(`\n${tests.length} official tests, ${eligible.length} eligible`)
    for (const [backend, { tried, passed }] of counts) console.log(`  ${backend}: ${passed} passed of ${tried} tried`)
    for (const [reason, number] of left) console.log(`  excluded: ${number}, ${reason}`)
  })
  test.run()
} else
  for (const name of suites)
    skip(`official ONNX tests, ${name}`, 'apt install libonnx-testdata, or set CAIRN_ONNX_TESTS')
