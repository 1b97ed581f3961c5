// Values of another realm, as test runners, vm contexts and frames make them: whatever is taken is taken by what it is, not
// by whose class it is of.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile, inspect } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { FormatError, InferenceSession, ParallelSession, Tensor, type Type } from '../../runtime/index.js'
import { Trainer } from '../../train/index.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`realms (seed ${baseSeed})`)
const random = new Random('realms')
const other = createContext({ URL: undefined })
const foreign = <T>(script: string): T => runInContext(script, other)

/** The same elements in an array of the other realm. */
function moved<T extends ArrayBufferView>(data: T): T {
  const make = foreign<new (length: number) => T & { set(from: T): void }>(data.constructor.name)
  const copy = new make((data as unknown as { length: number }).length)
  copy.set(data)
  return copy
}

const model = new ModelBuilder(random)
const image = model.input(['N', 3, 6, 7])
model.output(model.add('Relu', [model.add('Conv', [image, model.weights([8, 3, 3, 3])])]))
const onnx = new Uint8Array(model.encode())
const file = compileModel(onnx)
const feeds = tensorsOf(randomFeeds(model.inputs, random, { N: 2 }))
const ran = async (given: Parameters<typeof InferenceSession.create>[0], inputs: typeof feeds = feeds) => {
  const session = await InferenceSession.create(given)
  const results = numbersOfTensors(await session.run(inputs))
  await session.release()
  return results
}

test('a file, whichever realm its bytes are of, and in whatever they lie', async () => {
  const expected = await ran(file)
  const bytes = moved(file)
  assert.not.ok(bytes instanceof Uint8Array)
  const shared = new SharedArrayBuffer(file.length)
  new Uint8Array(shared).set(file)
  const padded = moved(Uint8Array.of(1, 2, 3, ...file))
  const given: unknown[] = [
    ...[bytes, bytes.buffer, padded.subarray(3), Buffer.from(file), shared, new Uint8Array(shared)],
    ...[
      new DataView(bytes.buffer),
      new Uint8ClampedArray(file),
      structuredClone(file),
      new Blob([new Uint8Array(file)])
    ]
  ]
  for (const each of given) assertClose(await ran(each as Uint8Array), expected, 0)
  await rejects(
    () => InferenceSession.create(foreign('new ArrayBuffer(3)')),
    /file of 3 bytes is too short/,
    FormatError
  )
  for (const none of [undefined, null, 5, {}, [1, 2], foreign('({})')])
    await rejects(() => InferenceSession.create(none as never), /^a session is made from bytes, a File, a URL/)
})

test('places and responses that are of no class of ours', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-realms-'))
  const path = join(folder, 'm.cairn')
  writeFileSync(path, file)
  const expected = await ran(file)
  const { href } = pathToFileURL(path)
  class URL {
    readonly [Symbol.toStringTag] = 'URL'
    toString() {
      return href
    }
  }
  class Response {
    readonly ok = true
    readonly headers = new Headers()
    readonly url = ''
    readonly body = { pipe: () => undefined }
    async arrayBuffer() {
      return moved(file).buffer
    }
  }
  assertClose(await ran(new URL() as never), expected, 0)
  assertClose(await ran(new Response() as never), expected, 0)
  rmSync(folder, { recursive: true })
})

test('tensors of arrays of another realm, of a canvas, of another copy of the package', async () => {
  const expected = await ran(file)
  const [[name, { data, dims }]] = Object.entries(feeds)
  const inputs = {
    float: new Tensor('float32', moved(data as Float32Array), dims),
    untyped: new Tensor(moved(data), dims)
  }
  for (const tensor of Object.values(inputs)) assertClose(await ran(file, { [name]: tensor }), expected, 0)
  const plain = { type: 'float32', data: moved(data), dims, location: 'cpu' } as unknown as Tensor
  assertClose(await ran(file, { [name]: plain }), expected, 0)
  const pool = await ParallelSession.create(moved(file), { workers: 2 })
  for (const tensor of [inputs.float, plain])
    assertClose(numbersOfTensors(await pool.run({ [name]: tensor })), expected)
  await pool.release()
  const types: Type[] = ['float64', 'int64', 'uint64', 'int32', 'uint32', 'int16', 'uint8', 'int8']
  for (const type of types) {
    const ours = new Tensor(type, type.endsWith('int64') ? [1n, 2n] : [1, 2]).data
    const tensor = new Tensor(moved(ours))
    assert.is(tensor.type, type)
    assert.equal([...tensor.data], [...ours])
    assert.throws(
      () => new Tensor(type === 'int8' ? 'uint8' : 'int8', moved(ours)),
      /must be a U?[iI]nt8Array or an array/
    )
  }
  assert.is(new Tensor(moved(new Uint16Array(2))).type, 'float16')
})

test("a canvas's bytes are bytes, in place", () => {
  const bytes = Uint8ClampedArray.from({ length: 12 }, () => random.int(0, 255))
  for (const each of [bytes, moved(bytes), bytes.subarray(2, 6)])
    for (const tensor of [new Tensor('uint8', each), new Tensor(each as never)]) {
      assert.is(tensor.type, 'uint8')
      assert.equal([...tensor.data], [...each])
      assert.is((tensor.data as Uint8Array).buffer, each.buffer)
    }
  assert.equal([...new Tensor('bool', new Uint8ClampedArray([1, 0])).data], [1, 0])
  assert.throws(() => new Tensor('int8', bytes), /must be a Int8Array or an array/)
})

test('a picture of another realm', async () => {
  const data = Uint8ClampedArray.from({ length: 4 * 5 * 4 }, () => random.int(0, 255))
  const [ours, theirs] = await Promise.all(
    [data, moved(data)].map(data => Tensor.fromImage({ data, width: 5, height: 4 }))
  )
  assert.equal(theirs.data, ours.data)
})

test('the compiler and the trainer take such bytes too', async () => {
  const theirs = moved(onnx)
  for (const given of [theirs, theirs.buffer, Buffer.from(onnx)]) assert.equal(await compile(given as Uint8Array), file)
  assert.equal(inspect(moved(file)), inspect(file))
  await rejects(
    () => compile('model.onnx' as never),
    /^a model is given as its bytes; a Uint8Array and an ArrayBuffer/,
    CompileError
  )
  const net = new Uint8Array(zoo.lenet5.build())
  const input = Array.from({ length: 8 }, () => Float32Array.from({ length: 32 * 32 }, () => random.uniform(-1, 1)))
  const labels = input.map((_, i) => i % 2)
  const heads: Uint8Array[] = []
  for (const foreignly of [false, true]) {
    const given = foreignly ? moved(net) : net
    const trainer = await Trainer.create(given, { classes: ['a', 'b'], epochs: 1, seed: 3 })
    await trainer.fit({ labels, input: i => (foreignly ? moved(input[i]) : input[i]) })
    heads.push(trainer.patch())
    await trainer.release()
  }
  assert.equal(heads[1], heads[0])
})

test.run()
