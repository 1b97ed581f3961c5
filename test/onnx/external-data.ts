// Weights in files beside an ONNX model, found where the model is: from a path, from a URL, and by whoever is asked.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { env, InferenceSession } from '../../runtime/index.js'
import { tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { encodeModel, ModelBuilder } from '../support/onnx/model.js'
import { type Numbers, numbersOf, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`external data (seed ${baseSeed})`)
const random = new Random('external data')
const folder = mkdtempSync(join(tmpdir(), 'cairn-external-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A model of two layers whose weights are in two files, one of them in a folder and with a name that URLs have to spell. */
function build(locations: readonly [string, string]) {
  const model = new ModelBuilder(random)
  const hidden = model.add('Relu', [
    model.add('MatMul', [model.input(['N', 20], 'float32', [-1, 1], 'x'), model.weights([20, 30])])
  ])
  model.output(model.add('MatMul', [hidden, model.weights([30, 4])]))
  const whole = model.encode()
  const proto = model.proto()
  const files = proto.graph!.initializer!.map((tensor, i) => {
    const data = tensor.rawData!
    const entries = { location: locations[i], offset: String(16 * i), length: String(data.length) }
    Object.assign(tensor, {
      rawData: undefined,
      dataLocation: 1,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value }))
    })
    return [locations[i], Uint8Array.from([...new Uint8Array(16 * i), ...data])] as const
  })
  return { model, whole, onnx: encodeModel(proto), files }
}

const { model, whole, onnx, files } = build(['m.onnx.data', 'parts/w #1 50%.bin'])
const path = join(folder, 'm.onnx')
mkdirSync(join(folder, 'parts'))
writeFileSync(path, onnx)
for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
const feeds = randomFeeds(model.inputs, random, { N: 3 })

async function expectRight(session: InferenceSession): Promise<void> {
  const oracle = await Oracle.load(whole)
  const results = await session.run(tensorsOf(feeds))
  const numbers: Record<string, Numbers> = {}
  for (const [name, { type, dims, data }] of Object.entries(results))
    numbers[name] = { dtype: type as Numbers['dtype'], dims, data: numbersOf(type as Numbers['dtype'], data) }
  assertClose(numbers, await oracle.run(feeds))
  await oracle.release()
  await session.release()
}

test('create finds them beside a path, a file: URL and an http: URL, also for auto', async () => {
  await expectRight(await InferenceSession.create(path))
  await expectRight(await InferenceSession.create(pathToFileURL(path)))
  await expectRight(await InferenceSession.create(String(pathToFileURL(path))))
  // Whether there is a GPU is another matter.
  env.webgpu.gpu = { requestAdapter: async () => null } as unknown as GPU
  await expectRight(await InferenceSession.create(path, { executionProviders: ['auto'] }))
  const asked: string[] = []
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url!, 'http://x').pathname.replace('/models/', ''))
    asked.push(name)
    try {
      response.end(readFileSync(join(folder, name)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/m.onnx?v=2`
  await expectRight(await InferenceSession.create(url))
  await expectRight(await InferenceSession.create(await fetch(url)))
  assert.equal(asked.slice(0, 3).sort(), ['m.onnx', 'm.onnx.data', 'parts/w #1 50%.bin'])
  rmSync(join(folder, 'm.onnx.data'))
  await rejects(() => InferenceSession.create(path), /cannot open ".*m\.onnx\.data": no such file/)
  await rejects(() => InferenceSession.create(url), /cannot fetch http.*m\.onnx\.data: status 404/)
  writeFileSync(join(folder, 'm.onnx.data'), files[0][1])
  server.close()
})

test('create and compile ask whoever has them, and wait', async () => {
  const wanted: string[] = []
  const externalData = async (location: string) => {
    wanted.push(location)
    return new Map(files).get(location)!
  }
  await expectRight(await InferenceSession.create(onnx, { externalData }))
  await expectRight(await InferenceSession.create(await compile(onnx, { externalData })))
  assert.equal(
    wanted,
    [...files, ...files].map(([name]) => name)
  )
  await rejects(() => InferenceSession.create(onnx), /lies in "m\.onnx\.data", which was not given/, Error)
})

test("nothing outside the model's folder is read", async () => {
  for (const location of [
    '../m.onnx.data',
    '/etc/passwd',
    'parts/../../x',
    'http://localhost/x',
    'C:\\x',
    '..\\x',
    'file:///etc/passwd'
  ]) {
    const bad = build([location, 'm.onnx.data'])
    writeFileSync(join(folder, 'bad.onnx'), bad.onnx)
    await rejects(() => InferenceSession.create(join(folder, 'bad.onnx')), /lies outside the model's folder/, Error)
  }
})

test.run()
