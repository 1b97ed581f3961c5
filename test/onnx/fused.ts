// Models that onnxruntime has optimised and saved, and those of its operators that only its GPU paths run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import { suite } from 'uvu'
import { CompileError, compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { decodeModel, float, ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`what onnxruntime fuses (seed ${baseSeed})`)
const backends = await presentBackends()
const folder = mkdtempSync(join(tmpdir(), 'cairn-fused-'))
test.after(() => rmSync(folder, { recursive: true }))

async function saved(name: string, graphOptimizationLevel: 'extended' | 'all'): Promise<Uint8Array> {
  const path = join(folder, `${name}.${graphOptimizationLevel}.onnx`)
  const options = { graphOptimizationLevel, optimizedModelFilePath: path, logSeverityLevel: 4 } as const
  const session = await ort.InferenceSession.create(zoo[name].build(), options)
  await session.release()
  return new Uint8Array(readFileSync(path))
}

for (const name of ['lenet5', 'resnet20-cifar', 'squeezenet1.1', 'mobilenet-v3-small', 'efficientnet-b0'])
  test(`${name} as onnxruntime saves it`, async () => {
    const random = new Random(name)
    const plain = zoo[name].build()
    const [{ name: x }] = decodeModel(plain).graph!.input!
    const dims = zoo[name].input.map(size => (size === 'N' ? 1 : Number(size)))
    const feeds = randomFeeds([{ name: x!, dtype: 'float32', dims, range: [-2, 2] }], random)
    const oracle = await Oracle.load(plain)
    const runner = await Runner.load(compileModel(await saved(name, 'extended')))
    assertClose(await runner.run(feeds), await oracle.run(feeds), 1e-4)
    await runner.release()
    await oracle.release()
  })

test('layouts of one processor are refused', async () => {
  const model = await saved('squeezenet1.1', 'all')
  // Elsewhere than on x64 nothing is laid out anew.
  if (!Buffer.from(model).includes('com.microsoft.nchwc')) return
  await rejects(() => compile(model), /com\.microsoft\.nchwc: .* at "extended" are allowed/, CompileError)
})

type Build = (m: ModelBuilder, name: string) => string

/** The operator, and the same in ONNX's. */
const pairs: Record<string, readonly [Build, Build, readonly number[]]> = {
  NhwcConv: [
    (m, x) => {
      const w = m.weights([5, 3, 3, 4])
      return m.add('com.microsoft:NhwcConv', [x, w, m.weights([5])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
    },
    (m, x) => {
      const w = m.add('Transpose', [m.weights([5, 3, 3, 4])], { perm: [0, 3, 1, 2] })
      const first = m.add('Transpose', [x], { perm: [0, 3, 1, 2] })
      const y = m.add('Conv', [first, w, m.weights([5])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
      return m.add('Transpose', [y], { perm: [0, 2, 3, 1] })
    },
    [2, 6, 7, 4]
  ],
  'Conv of com.ms.internal.nhwc': [
    (m, x) => m.add('com.ms.internal.nhwc:Conv', [x, m.weights([5, 4, 3, 3]), m.weights([5])], { strides: [2, 2] }),
    (m, x) => {
      const first = m.add('Transpose', [x], { perm: [0, 3, 1, 2] })
      const y = m.add('Conv', [first, m.weights([5, 4, 3, 3]), m.weights([5])], { strides: [2, 2] })
      return m.add('Transpose', [y], { perm: [0, 2, 3, 1] })
    },
    [1, 7, 9, 4]
  ],
  BiasSplitGelu: [
    (m, x) => m.add('com.microsoft:BiasSplitGelu', [x, m.weights([12])]),
    (m, x) => {
      const [a, b] = m.addMany('Split', [m.add('Add', [x, m.weights([12])])], 2, { axis: -1, num_outputs: 2 })
      return m.add('Mul', [a, m.add('Gelu', [b])])
    },
    [2, 5, 12]
  ],
  BiasAdd: [
    (m, x) => m.add('com.microsoft:BiasAdd', [x, m.weights([8]), m.weights([2, 5, 8])]),
    (m, x) => m.add('Add', [m.add('Add', [x, m.weights([8])]), m.weights([2, 5, 8])]),
    [2, 5, 8]
  ],
  GroupNorm: [
    (m, x) => {
      const attributes = { groups: 2, epsilon: float(0.01), activation: 1 }
      return m.add('com.microsoft:GroupNorm', [x, m.weights([8]), m.weights([8])], attributes)
    },
    (m, x) => {
      const first = m.add('Transpose', [x], { perm: [0, 3, 1, 2] })
      const attributes = { num_groups: 2, epsilon: float(0.01) }
      const y = m.add('GroupNormalization', [first, m.weights([8]), m.weights([8])], attributes)
      return m.add('Transpose', [m.add('Mul', [y, m.add('Sigmoid', [y])])], { perm: [0, 2, 3, 1] })
    },
    [2, 5, 6, 8]
  ]
}

for (const [name, [build, spelled, dims]] of Object.entries(pairs))
  test(`${name} (${backends.join(', ')})`, async () => {
    const [own, plain] = [build, spelled].map(make => {
      // Both draw the same weights.
      const m = new ModelBuilder(new Random(name), 21)
      return m.output(m.add('Identity', [make(m, m.input(dims, 'float32', [-2, 2], 'x'))]))
    })
    const feeds = randomFeeds(plain.inputs, new Random(`${name} feeds`))
    const oracle = await Oracle.load(plain.encode())
    const [[, expected]] = Object.entries(await oracle.run(feeds))
    for (const backend of backends) {
      const runner = await Runner.load(compileModel(own.encode()), backend)
      assertClose(await runner.run(feeds), { [own.outputs[0]]: expected })
      await runner.release()
    }
    await oracle.release()
  })

test('what is not there is refused by name', async () => {
  const refused = (op: string, count: number, attributes: Record<string, number | string>, why: RegExp) => {
    const m = new ModelBuilder(new Random(op))
    const inputs = Array.from({ length: count }, () => m.input([2, 4, 8]))
    m.output(m.add(op, inputs, attributes))
    return rejects(() => compile(m.encode()), why, CompileError)
  }
  await refused('com.microsoft:FusedGemm', 1, {}, /input 1 is missing/)
  await refused('com.microsoft:FusedMatMul', 1, {}, /FusedMatMul .*input 1 is missing/)
  await refused('com.microsoft:MultiHeadAttention', 3, { num_heads: 3 }, /width 8 does not divide by 3 heads/)
  await refused('com.microsoft:MultiHeadAttention', 7, { num_heads: 2 }, /input 6 .* is not supported/)
  await refused('com.microsoft:FusedConv', 2, { activation: 'Mish' }, /FusedConv/)
})

test.run()
