// Tensors of the stand-in, by the rules that onnxruntime-common's own tests state (js/common/test/unit-tests), and sessions
// that begin at the same time under several names of the backend.
import type * as Ort from 'onnxruntime-common'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as ort from '../../ort/index.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`tensors of the stand-in (seed ${baseSeed})`)
const random = new Random('ort tensors')
const dims = [2, 3]
const whole = random.ints(6, [1, 100])

/** With anything at all, as JavaScript allows. */
const AnyTensor = ort.Tensor as unknown as new (...given: unknown[]) => Ort.Tensor

interface Kind {
  readonly type: Ort.Tensor.Type
  readonly array: { new (values: number[]): object; readonly name: string } | (new (values: bigint[]) => object)
  /** Whether an array of this kind alone says the type. */
  readonly inferred: boolean
  readonly wide?: boolean
}

const kinds: readonly Kind[] = [
  { type: 'float32', array: Float32Array, inferred: true },
  { type: 'float64', array: Float64Array, inferred: true },
  { type: 'uint8', array: Uint8Array, inferred: true },
  { type: 'int8', array: Int8Array, inferred: true },
  { type: 'uint16', array: Uint16Array, inferred: true },
  { type: 'int16', array: Int16Array, inferred: true },
  { type: 'int32', array: Int32Array, inferred: true },
  { type: 'uint32', array: Uint32Array, inferred: true },
  { type: 'int64', array: BigInt64Array, inferred: true, wide: true },
  { type: 'uint64', array: BigUint64Array, inferred: true, wide: true },
  { type: 'bool', array: Uint8Array, inferred: false }
]

const halves = (globalThis as { Float16Array?: new (values: number[]) => object }).Float16Array

function check(tensor: Ort.Tensor, type: string, values: readonly unknown[]): void {
  assert.is(tensor.type, type)
  assert.equal([...tensor.dims], dims)
  assert.is(tensor.size, values.length)
  assert.equal(Array.from(tensor.data as ArrayLike<unknown>), [...values])
}

for (const { type, array, inferred, wide } of kinds) {
  const values = type === 'bool' ? whole.map(value => value % 2) : wide ? whole.map(BigInt) : whole
  const Typed = array as new (values: readonly unknown[]) => object
  test(`${type} from a typed array`, () => {
    const tensor = new AnyTensor(type, new Typed(values), dims)
    check(tensor, type, values)
    assert.instance(tensor.data, Typed)
    if (inferred) check(new AnyTensor(new Typed(values), dims), type, values)
  })
  test(`${type} from anything else is a TypeError`, () => {
    for (const data of [{}, new ArrayBuffer(64), null, 7])
      assert.throws(
        () => new AnyTensor(type, data, dims),
        (error: unknown) => error instanceof TypeError
      )
  })
  if (type === 'bool') continue
  test(`${type} from an array of numbers`, () => {
    const tensor = new AnyTensor(type, whole, dims)
    check(tensor, type, values)
    assert.instance(tensor.data, Typed)
    if (wide) check(new AnyTensor(type, values, dims), type, values)
  })
}

test('strings and booleans, with their type and without', () => {
  const words = whole.map(value => `word ${value}`)
  check(new ort.Tensor('string', words, dims), 'string', words)
  check(new ort.Tensor(words, dims), 'string', words)
  const truths = whole.map(value => value % 3 > 0)
  for (const tensor of [new ort.Tensor('bool', truths, dims), new ort.Tensor(truths, dims)]) {
    check(tensor, 'bool', truths.map(Number))
    assert.instance(tensor.data, Uint8Array)
  }
})

test('float16 from bits, and from numbers where the engine has halves', () => {
  // 1, 2, 3, 4, 0.5 and -2 as IEEE 754 halves.
  const bits = [0x3c00, 0x4000, 0x4200, 0x4400, 0x3800, 0xc000]
  const values = [1, 2, 3, 4, 0.5, -2]
  const fromBits = new ort.Tensor('float16', new Uint16Array(bits), dims)
  if (!halves) {
    check(fromBits, 'float16', bits)
    assert.instance(fromBits.data, Uint16Array)
    assert.throws(
      () => new AnyTensor('float16', values, dims),
      (error: unknown) => error instanceof TypeError
    )
    return
  }
  for (const tensor of [
    fromBits,
    new AnyTensor('float16', values, dims),
    new AnyTensor('float16', new halves(values), dims)
  ]) {
    check(tensor, 'float16', values)
    assert.instance(tensor.data, halves)
  }
})

test('no such type, and sizes that do not fit', () => {
  for (const make of [
    () => new AnyTensor('a', whole, dims),
    () => new AnyTensor('float32', new Float32Array(6), '2,3'),
    () => new AnyTensor('float32', new Float32Array(6), [2, '3'])
  ])
    assert.throws(make, (error: unknown) => error instanceof TypeError)
  assert.throws(() => new ort.Tensor('float32', new Float32Array(6), [2, 4]))
  assert.throws(
    () => new ort.Tensor('float32', new Float32Array(6), [-2, -3]),
    (error: unknown) => error instanceof RangeError
  )
})

test('sessions that begin at once under several names of one backend', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([1, 6])
  m.output(m.add('Neg', [x]))
  const model = m.encode()
  const values = random.values(6, [-3, 3])
  const sessions = await Promise.all(
    ['cpu', 'wasm', 'cpu'].map(name => ort.InferenceSession.create(model, { executionProviders: [name] }))
  )
  for (const session of sessions) {
    const [name] = session.outputNames
    const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', Float32Array.from(values), [1, 6]) }
    const { [name]: result } = await session.run(feeds)
    assert.equal(
      Array.from(result.data as Float32Array),
      Array.from(Float32Array.from(values), value => -value)
    )
    await session.release()
  }
})

test.run()
