// The importer: every encoding of initializers, every opset's spelling, and malformed models, which are always
// refused by a CompileError of one line, never by another exception.
import type { onnx } from 'onnx-proto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dtypes } from '../../compiler/graph/graph.js'
import { build, CompileError, type CompileOptions } from '../../compiler/index.js'
import { compileModel, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { failure } from '../support/failure.js'
import { type DType, decodeModel, elementTypes, encodeModel, ModelBuilder, rawBytes } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { steadyRun } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { changedField } from './models/changes.js'
import { endless } from './models/loops.js'
import { malformed } from './models/malformed.js'
import { network } from './models/opsets.js'

const random = new Random('onnx')

async function compare(model: ModelBuilder, seed: string): Promise<void> {
  const bytes = model.encode()
  const own = new Random(seed)
  const oracle = await Oracle.load(bytes)
  const { feeds, expected } = await steadyRun(oracle, () => randomFeeds(model.inputs, own), own)
  const runner = await Runner.load(compileModel(bytes))
  assertClose(await runner.run(feeds), expected)
  await runner.release()
  await oracle.release()
}

const encodings = suite(`initializers (seed ${baseSeed})`)

/** A constant of that type, cast to float and multiplied with the input. */
function scaled(dtype: DType, encoding: 'raw' | 'typed'): ModelBuilder {
  const model = new ModelBuilder(random)
  const count = 15
  const data =
    dtype === 'bool'
      ? random.ints(count, [0, 1])
      : dtype.startsWith('float')
        ? random.values(count)
        : random.ints(count, [dtype.startsWith('uint') ? 0 : -99, 99])
  const constant = model.constant({ dtype, dims: [3, 5], data, encoding })
  return model.output(model.add('Mul', [model.input([3, 5]), model.add('Cast', [constant], { to: 1 })]))
}

for (const dtype of dtypes)
  for (const encoding of ['raw', 'typed'] as const)
    encodings(`${dtype}, ${encoding}`, () => compare(scaled(dtype, encoding), dtype))

encodings('bfloat16, raw and as int32_data', async () => {
  const values = [1, -2, 0.5, 3.25, -0.125]
  const bits = values.map(value => new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16)
  for (const content of [{ rawData: new Uint8Array(Uint16Array.from(bits).buffer) }, { int32Data: bits }]) {
    const model = new ModelBuilder(random)
    model.initializers.push({ name: 'b', dims: [5], dataType: 16, ...content })
    model.output(model.add('Mul', [model.input([5], 'float32', [1, 1.001]), 'b']))
    const runner = await Runner.load(compileModel(model.encode()))
    const feeds = randomFeeds(model.inputs, random)
    const [result] = Object.values(await runner.run(feeds))
    const x = Object.values(feeds)[0].data
    values.forEach((value, i) => assert.ok(Math.abs(result.data[i] - value * x[i]) < 1e-5))
  }
})

/** The same model with its largest initializer in a file beside it, between other bytes. */
function external(
  model: ModelBuilder,
  more: (length: number) => onnx.IStringStringEntryProto[]
): { bytes: Uint8Array; file: Uint8Array } {
  const proto = decodeModel(model.encode())
  const [tensor] = [...proto.graph!.initializer!].sort((a, b) => b.rawData!.length - a.rawData!.length)
  const file = new Uint8Array(tensor.rawData!.length + 64)
  file.set(tensor.rawData!, 64)
  const entries = [
    { key: 'location', value: 'weights.bin' },
    { key: 'offset', value: '64' },
    ...more(tensor.rawData!.length)
  ]
  Object.assign(tensor, { rawData: undefined, dataLocation: 1, externalData: entries })
  return { bytes: encodeModel(proto), file }
}

encodings('external data, with and without its length', async () => {
  const model = scaled('float32', 'raw')
  const feeds = randomFeeds(model.inputs, random)
  const oracle = await Oracle.load(model.encode())
  const expected = await oracle.run(feeds)
  for (const more of [() => [], (length: number) => [{ key: 'length', value: String(length) }]]) {
    const { bytes, file } = external(model, more)
    const asked: string[] = []
    const externalData = (location: string) => {
      asked.push(location)
      return file
    }
    const runner = await Runner.load(compileModel(bytes, { externalData }))
    assertClose(await runner.run(feeds), expected)
    assert.equal([...new Set(asked)], ['weights.bin'])
  }
})

encodings('external data that is missing or too short is refused', () => {
  const { bytes, file } = external(scaled('float32', 'raw'), length => [{ key: 'length', value: String(length) }])
  refusal(bytes, {}, /weights\.bin/)
  refusal(bytes, { externalData: () => file.slice(0, 70) }, /"c_\d+"/)
})

encodings('raw data at an odd address', async () => {
  const bytes = scaled('float64', 'raw').encode()
  for (let shift = 0; shift < 8; shift++) {
    const moved = new Uint8Array(bytes.length + 8)
    moved.set(bytes, shift)
    assert.ok(compileModel(moved.subarray(shift, shift + bytes.length)).length > 0)
  }
})
encodings.run()

const opsets = suite(`opsets (seed ${baseSeed})`)

for (let opset = 7; opset <= 22; opset++)
  opsets(`opset ${opset}`, () => compare(network(opset, random), `opset ${opset}`))

opsets('an opset that is newer than those that are known is read with a note', () => {
  for (const [opset, wanted] of [
    [23, 0],
    [24, 1]
  ]) {
    const notes: string[] = []
    build(network(opset, random).encode(), { onNote: note => notes.push(note) })
    assert.is(notes.length, wanted)
    if (wanted) assert.match(notes[0], /^opset 24 is newer than 23/)
  }
})
opsets.run()

/** Asserts that a model is refused by one line. */
function refusal(bytes: Uint8Array, options: CompileOptions = {}, wanted = /./): void {
  try {
    build(bytes, options)
  } catch (error) {
    checkRefusal(error)
    const { message } = error as Error
    assert.ok(wanted.test(message), `refused by "${message}", which does not match ${wanted}`)
    return
  }
  assert.unreachable('the model is compiled')
}

function checkRefusal(error: unknown): void {
  if (!(error instanceof CompileError)) throw error
  const { message } = error
  const ugly =
    message.length < 10 || message.length > 1000 || /\n|undefined|\[object|Cannot read|is not a function/.test(message)
  if (ugly) throw new Error(`refused by a message that explains nothing: ${message}`)
}

const refused = suite(`refusals (seed ${baseSeed})`)
for (const { name, model, message } of [...malformed, ...endless]) refused(name, () => refusal(model(), {}, message))

refused('a shape for an input that there is not', () => {
  refusal(network(17, random).encode(), { shapes: { nothing: [1, 3, 10, 11] } }, /"nothing".*"x_0"/)
})
refused('products of integers in halves', () => {
  const m = new ModelBuilder(random)
  const weights = m.constant({ dtype: 'uint8', dims: [4, 3], data: random.ints(12, [0, 255]) })
  const bytes = m.output(m.add('MatMulInteger', [m.input([2, 4], 'uint8'), weights])).encode()
  refusal(bytes, { weights: 'f16' }, /"matmulinteger_\d+.*f32/)
})
refused('a shape that contradicts the model', () => {
  for (const shape of [
    [1, 3, 10],
    [2, 4, 10, 11],
    [2, 3, 10, 0],
    [2, 3, Number.NaN, 11],
    [2, 3, -1, 11],
    [2.5, 3, 10, 11]
  ])
    refusal(network(17, random).encode(), { shapes: { x_0: shape } }, /x_0/)
})
refused.run()

const damage = suite(`damaged models (seed ${baseSeed})`)

/** Compiles many damaged models, each of which must compile or be refused properly; counts the refusals. */
function surviveAll(models: Iterable<[what: string, bytes: Uint8Array]>): number {
  const wrong = new Map<string, string>()
  let refusals = 0
  for (const [what, bytes] of models) {
    try {
      build(bytes)
    } catch (error) {
      refusals++
      try {
        checkRefusal(error)
      } catch (other) {
        // Names and numbers aside, the same mistake once.
        const { message, stack = '' } = other as Error
        const kind = message.replace(/"[^"]*"|\d+/g, '…')
        if (!wrong.has(kind)) wrong.set(kind, `${what}: ${message}\n${stack.split('\n').slice(1, 3).join('\n')}`)
      }
    }
  }
  // Other exceptions than refusals first.
  const list = [...wrong.values()].sort(
    (a, b) => Number(a.includes('explains nothing')) - Number(b.includes('explains nothing'))
  )
  if (list.length) throw failure(`${list.length} kinds of failure\n${list.slice(0, 15).join('\n')}`)
  return refusals
}

damage('every truncation', () => {
  const bytes = network(17, random).encode()
  const refusals = surviveAll(
    Array.from(bytes, (_, length): [string, Uint8Array] => [`${length} bytes`, bytes.slice(0, length)])
  )
  assert.ok(refusals > bytes.length / 2, `only ${refusals} of ${bytes.length} truncations are refused`)
})

damage('random bytes', () => {
  const noise = new Random('bytes')
  const all = Array.from({ length: 500 }, (_, i): [string, Uint8Array] => [
    `bytes ${i}`,
    Uint8Array.from({ length: noise.int(0, 200) }, () => noise.int(0, 255))
  ])
  assert.is(surviveAll(all), all.length)
})

function* changedBytes(): Generator<[string, Uint8Array]> {
  const noise = new Random('changes')
  for (const opset of [9, 17]) {
    const bytes = network(opset, random).encode()
    for (let i = 0; i < 1500; i++) {
      const changed = bytes.slice()
      const places = Array.from({ length: noise.int(1, 3) }, () => [noise.int(0, bytes.length - 1), noise.int(0, 255)])
      for (const [at, to] of places) changed[at] = to
      yield [`opset ${opset}, change ${i} (${places.join(' ')})`, changed]
    }
  }
}

damage('changed bytes', () => {
  assert.ok(surviveAll(changedBytes()) > 100)
})

damage('changed fields', () => {
  assert.ok(surviveAll(Array.from({ length: 2000 }, (_, i) => changedField(new Random(`field ${i}`)))) > 300)
})
damage.run()

/** Guards the helper above: element types that tests write are those that ONNX numbers. */
const guard = suite('encodings of the tests')
guard('widths', () => {
  for (const dtype of dtypes) assert.ok(rawBytes(dtype, [1, 1]).length % 2 === 0 && elementTypes[dtype] > 0)
})
guard.run()
