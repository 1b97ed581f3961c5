// NaN goes through every operator on the CPU path as it does in double precision. On WebGPU it need not: WGSL leaves open
// what min, max and the elementary functions make of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileModel, Runner } from './support/cairn.js'
import { type Attributes, float, ModelBuilder } from './support/model.js'
import { baseSeed, Random } from './support/random.js'

const test = suite(`NaN (seed ${baseSeed})`)

const operators: readonly [string, Attributes?][] = [
  ['MaxPool', { kernel_shape: [2, 2] }],
  ['MaxPool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
  ['AveragePool', { kernel_shape: [2, 2] }],
  ['GlobalMaxPool'],
  ['GlobalAveragePool'],
  ['ReduceMax', { axes: [1] }],
  ['ReduceMin', { axes: [2, 3] }],
  ['ReduceMax', { axes: [3] }],
  ['Softmax', { axis: 1 }],
  ['Clip', { min: float(-0.5), max: float(0.5) }],
  ...[
    'Relu',
    'LeakyRelu',
    'HardSigmoid',
    'HardSwish',
    'Sigmoid',
    'Softplus',
    'Elu',
    'Tanh',
    'Erf',
    'Exp',
    'Log',
    'Sign'
  ]
    .concat(['Sin', 'Atan', 'Sinh', 'Asinh', 'Abs', 'Floor', 'Round', 'Max', 'Min'])
    .map((op): [string] => [op])
]

/** Where the results of a session are NaN. */
async function nansOf(
  file: Uint8Array,
  backend: 'reference' | 'wasm',
  name: string,
  data: Float32Array,
  dims: number[]
) {
  const runner = await Runner.load(file, backend)
  const [output] = Object.values(await runner.run({ [name]: { dtype: 'float32', dims, data } }))
  await runner.release()
  return Array.from(output.data, (value, i) => (Number.isNaN(value) ? i : -1)).filter(i => i >= 0)
}

for (const [op, attributes = {}] of operators)
  test(`${op} ${JSON.stringify(attributes)}`, async () => {
    for (const channels of [1, 4, 11, 16, 21]) {
      const opset = op === 'HardSwish' ? 14 : op === 'Clip' ? 10 : 11
      const m = new ModelBuilder(undefined, opset)
      const dims = [2, channels, 6, 5]
      const x = m.input(dims)
      const second = op === 'Max' || op === 'Min' ? [m.scalar(0.1)] : []
      const file = compileModel(m.output(m.add(op, [x, ...second], attributes)).encode())
      const random = new Random(`NaN ${op} ${channels}`)
      const data = Float32Array.from(random.values(60 * channels, [0.1, 2]))
      for (let i = 0; i < 4; i++) data[Math.floor(random.next() * data.length)] = Number.NaN
      const expected = await nansOf(file, 'reference', x, data, dims)
      assert.ok(expected.length > 0)
      assert.equal(await nansOf(file, 'wasm', x, data, dims), expected, `${channels} channels`)
    }
  })

test.run()
