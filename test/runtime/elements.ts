// Elements at a session's edge: every type to the arena's floats and back, element by element as its definition says.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { floatToHalf, fromHalves, halfToFloat, toHalves } from '../../runtime/base/half.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { copyFloats, fromFloats } from '../../runtime/tensor/elements.js'
import { arrays, type Data, type Type } from '../../runtime/tensor/tensor.js'
import { compileModel } from '../support/cairn.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`elements (seed ${baseSeed})`)
const random = new Random('elements')

/** What stands at the ends of ranges, bits of any pattern, and numbers that integers hold. */
function floats(count: number): Float32Array {
  const patterns = Uint32Array.from({ length: count }, () => random.int(0, 2 ** 32 - 1))
  const any = new Float32Array(patterns.buffer)
  const small = [0, 0.5, 1.5, 2.5, 2 ** -14, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 127.5, 128, 255, 256]
  const large = [65519, 65520, 65536, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64, Number.POSITIVE_INFINITY]
  const ends = [...small, ...large]
  return Float32Array.of(Number.NaN, ...ends, ...ends.map(value => -value), ...any, ...any.map(value => value % 1e6))
}

/** Elements that are the same numbers, NaN and signs of zeros included. */
function assertSame(actual: Data, expected: Data): void {
  assert.is(actual.length, expected.length)
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i])) assert.unreachable(`element ${i} is ${actual[i]}, not ${expected[i]}`)
}

/** A half by the definition of binary16. */
function definedHalf(half: number): number {
  const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, (half & 1023) / 1024]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14)
}

test('every half is the number that it stands for, and the nearest of itself', () => {
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
  const widened = fromHalves(halves)
  assertSame(widened, Float32Array.from(halves, definedHalf))
  const back = toHalves(widened, halves.length + 3)
  assert.equal([...back.subarray(-3)], [0, 0, 0])
  halves.forEach(half => {
    const isNumber = !Number.isNaN(definedHalf(half))
    if (back[half] !== (isNumber ? half : 0x7e00)) assert.unreachable(`${half} becomes ${back[half]}`)
  })
})

test('the nearest half is none further away than its neighbours, ties go to even ones', () => {
  for (const value of floats(4000)) {
    const half = floatToHalf(value)
    if (Number.isNaN(value) || Math.abs(value) >= 65504) continue
    const away = (other: number) => Math.abs(halfToFloat(other) - value)
    for (const other of [half - 1, half + 1]) {
      if ((other & 0x8000) !== (half & 0x8000)) continue
      const isTie = away(other) === away(half)
      if (away(other) < away(half) || (isTie && half % 2))
        assert.unreachable(`${value} becomes half ${half}, not ${other}`)
    }
  }
})

/** What each element becomes, one by one. */
const toFloat = (type: Type) => (value: number | bigint) =>
  type === 'float16' ? definedHalf(Number(value)) : Number(value)

for (const type of Object.keys(arrays) as Type[])
  test(`${type} in`, () => {
    // A part of somebody's buffer, which begins anywhere.
    const width = arrays[type].BYTES_PER_ELEMENT
    const bytes = Uint8Array.from(random.ints(1000 * width, [0, 255]))
    const ends =
      type === 'uint64' ? [0n, 2n ** 53n + 1n, 2n ** 64n - 1n] : [-1n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n]
    if (type.endsWith('int64')) new BigInt64Array(bytes.buffer, 8).set(ends.map(end => BigInt.asIntN(64, end)))
    const make = arrays[type] as unknown as new (buffer: ArrayBuffer, at: number, length: number) => Data
    const data = new make(bytes.buffer, width, 999)
    const before = bytes.slice()
    const copied = copyFloats(new Tensor(type, data, [999]))
    const expected = Float32Array.from(data as Float64Array, toFloat(type))
    assertSame(copied, expected)
    copied.fill(7)
    assert.equal(bytes, before)
  })

/** The bits of what a float becomes in an array of the type. */
function fromFloat(type: Type, value: number): number | bigint {
  if (type === 'float16') return floatToHalf(value)
  if (!type.endsWith('int64')) return value
  return Number.isFinite(value) ? BigInt(Math.round(value)) : -(2n ** 63n)
}

for (const type of Object.keys(arrays) as Type[])
  test(`${type} out`, () => {
    const values = floats(1000)
    const { data, dims, type: made } = fromFloats(type, values, [values.length])
    const expected = new arrays[type](values.length)
    values.forEach((value, i) => {
      expected[i] = fromFloat(type, value) as never
    })
    assert.is(made, type)
    assert.equal(dims, [values.length])
    assert.is(data.constructor, arrays[type])
    assertSame(data, expected)
  })

test('what no tensor is made of is refused', async () => {
  const make = (...given: unknown[]) => new (Tensor as unknown as new (...given: unknown[]) => Tensor)(...given)
  await rejects(async () => make('toString', [1], [1]), /^a tensor of type "toString" is not supported; /)
  await rejects(async () => make('int64', [1.5], [1]), /^1\.5 is no element of a int64 tensor$/)
  await rejects(async () => make('float32', [1, 2], 2), /^dims of a tensor are an array of sizes$/)
})

test('a feed whose array is of another width than its type is refused', async () => {
  const m = new ModelBuilder(random)
  m.output(m.add('Cast', [m.input([6], 'int64', [0, 9])], { to: 1 }))
  const session = await InferenceSession.create(compileModel(m.encode()))
  const [name] = session.inputNames
  for (const data of [new Int32Array(6), [1n, 2n, 3n, 4n, 5n, 6n]])
    await rejects(
      () => session.run({ [name]: { type: 'int64', dims: [6], data } as never }),
      /^input "\w+" is not a tensor whose dims fit its data; it takes int64\[6\]$/
    )
  await session.release()
})

test.run()
