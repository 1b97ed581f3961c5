// The file format: round trips, damage of every kind, sizes, and what half precision costs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError, compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { halfToFloat } from '../../runtime/base/half.js'
import { decode, encode } from '../../runtime/file/format.js'
import type { Program, Stored } from '../../runtime/file/program.js'
import { CairnError, FormatError, InferenceSession } from '../../runtime/index.js'
import { numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { errorOf } from '../support/compare.js'
import { randomNetwork } from '../support/network/random-graph.js'
import { feedsFor, noise } from '../support/network/verify.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { whyLeftOut } from '../support/share.js'
import { skip } from '../support/skip.js'

const trips = suite(`format round trip (seed ${baseSeed})`)

/** A decoded file as the program and summary that were encoded. */
function restored(file: Uint8Array): Program {
  const { header } = decode(file)
  const constants = header.constants.map(section => {
    const data = file.slice(section.offset, section.offset + section.bytes).buffer
    const stored =
      section.stored === 'f16' ? Float32Array.from(new Uint16Array(data), halfToFloat) : new Float32Array(data)
    return { ...section, data: stored }
  })
  return { ...header, constants }
}

for (let i = 0; i < 40; i++)
  trips(`random network ${i}`, () => {
    const model = randomNetwork(baseSeed + 31 * i).model.encode()
    for (const weights of ['f32', 'f16'] as const) {
      const { program, summary } = build(model, { weights })
      const file = encode(program, summary)
      assert.is(new TextDecoder().decode(file.slice(0, 4)), 'CARN')
      const again = encode(restored(file), decode(file).header)
      assert.is(Buffer.compare(file, again), 0, 'encodes to other bytes')
      const { header } = decode(file)
      for (const key of [
        'name',
        'free',
        'inputs',
        'outputs',
        'storages',
        'kernels',
        'constraints',
        'parameters',
        'macs'
      ] as const)
        assert.equal(header[key], program[key], key)
      assert.is(header.calls.length, program.calls.length)
      header.calls.forEach((call, j) => {
        assert.equal(call.arguments, program.calls[j].arguments)
        // Whole numbers stay exact; others are floats of the parameter block, single precision there.
        const expected = program.calls[j].parameters.map(p =>
          typeof p === 'number' && !Number.isInteger(p) ? Math.fround(p) : p
        )
        assert.equal(call.parameters, expected)
      })
      assert.is(header.arena, summary.arena)
      for (const section of header.constants) assert.is(section.offset % 16, 0, 'sections begin on multiples of 16')
    }
  })
trips.run()

/** A file of less than two kilobytes that has every part: constants, free dimensions, several kernels. */
function smallFile(weights: Stored): Uint8Array {
  const model = new ModelBuilder(new Random('small file', 1))
  const x = model.input(['N', 2, 'H', 4])
  const y = model.add('Relu', [model.add('Conv', [x, model.weights([3, 2, 1, 1]), model.weights([3])])])
  const { program, summary } = build(model.output(model.add('GlobalAveragePool', [y])).encode(), { weights })
  return encode(program, summary)
}

/** One line by the runtime; by the importer where the first four bytes are not CARN any more. */
function isRefusal(error: unknown): boolean {
  const { message } = error as Error
  const known = error instanceof FormatError || error instanceof CairnError || error instanceof CompileError
  return known && message.length > 0 && !message.includes('\n')
}

const damage = suite('format damage')
const create = (file: Uint8Array, backend: string) => InferenceSession.create(file, { executionProviders: [backend] })

for (const weights of ['f32', 'f16'] as const) {
  const file = smallFile(weights)

  damage(`every truncation is refused (${weights}, ${file.length} bytes)`, () => {
    for (let length = 0; length < file.length; length++)
      assert.throws(() => decode(file.slice(0, length)), isRefusal, `${length} bytes`)
  })

  damage(`bytes behind the end are refused (${weights})`, () => {
    for (const more of [1, 15, 16, 1000]) {
      const longer = new Uint8Array(file.length + more)
      longer.set(file)
      assert.throws(() => decode(longer), isRefusal)
    }
  })

  for (const backend of ['wasm', 'reference'] as const)
    damage(`every bit flip is refused, or changes padding only (${weights}, ${backend})`, async () => {
      const sections = decode(file).header.constants
      const headerEnd = 16 + new DataView(file.buffer).getUint32(8, true)
      const matters = (at: number) => at < headerEnd || sections.some(s => at >= s.offset && at < s.offset + s.bytes)
      let refused = 0
      for (let bit = 0; bit < file.length * 8; bit++) {
        const flipped = file.slice()
        flipped[bit >> 3] ^= 1 << (bit & 7)
        try {
          const session = await create(flipped, backend)
          await session.release()
          assert.not(matters(bit >> 3), `bit ${bit & 7} of byte ${bit >> 3} of ${file.length} is read as it is`)
        } catch (error) {
          if (!isRefusal(error)) throw error
          refused++
        }
      }
      assert.ok(refused >= headerEnd * 8)
    })
}

damage('random bytes behind a right beginning are refused', () => {
  const random = new Random('garbage')
  const file = smallFile('f32')
  for (let i = 0; i < 500; i++) {
    const garbage = Uint8Array.from({ length: random.int(0, 400) }, () => random.int(0, 255))
    garbage.set(file.slice(0, Math.min(12, garbage.length)))
    assert.throws(() => decode(garbage), isRefusal)
  }
})
damage.run()

const sizes = suite(`format sizes (seed ${baseSeed})`)
const largest = 30e6
const close = ['lenet5', 'resnet20-cifar', 'squeezenet1.1', 'mobilenet-v3-small', 'shufflenet-v2']
const encoded = (name: string, weights: Stored) => {
  const { program, summary } = build(zoo[name].build(), { weights })
  return encode(program, summary)
}

for (const [i, [name, { parameters }]] of Object.entries(zoo).entries()) {
  const reason = whyLeftOut(i, parameters, largest)
  if (reason) {
    skip(`size of ${name}`, reason)
    continue
  }
  if (name === 'resnet1202-cifar') {
    skip(`size of ${name}`, 'its calls, one a layer, take 71 bytes each, more than 64 KiB by themselves')
    continue
  }
  sizes(name, async () => {
    const single = encoded(name, 'f32')
    const half = encoded(name, 'f16')
    const allowed = parameters * 4 + 65536
    assert.ok(single.length <= allowed, `f32 has ${single.length} bytes, allowed ${allowed}`)
    assert.ok(half.length <= allowed / 2, `f16 has ${half.length} bytes, allowed ${allowed / 2}`)
    assert.ok(16 + new DataView(single.buffer).getUint32(8, true) <= 65536, 'the header fits into 64 KiB')
    if (!close.includes(name)) return
    const [a, b] = await Promise.all([single, half].map(file => InferenceSession.create(file)))
    const feeds = tensorsOf(feedsFor(a, { batch: 1 }, new Random(name), noise))
    const [expected, actual] = await Promise.all(
      [a, b].map(async session => numbersOfTensors(await session.run(feeds)))
    )
    const { error, what } = errorOf(actual.output, expected.output)
    // Each weight is off by up to 2^-11; sums over layers add up to some times that.
    assert.ok(error > 0 && error < 2e-2, `f16 against f32: ${what}`)
    await a.release()
    await b.release()
  })
}
sizes.run()

const ranges = suite('format ranges')
ranges('a constant with numbers that no half holds stays in single precision', async () => {
  const model = new ModelBuilder(new Random('ranges', 1))
  const x = model.input([1, 3])
  const large = model.constant({ dtype: 'float32', dims: [3], data: [65520, -1e30, 1] })
  const small = model.constant({ dtype: 'float32', dims: [3], data: [65519, -2, Number.POSITIVE_INFINITY] })
  const bytes = model.output(model.add('Max', [model.add('Add', [x, large]), small])).encode()
  const file = await compile(bytes, { weights: 'f16' })
  assert.equal(
    decode(file)
      .header.constants.map(({ stored }) => stored)
      .sort(),
    ['f16', 'f32']
  )
})
ranges.run()
