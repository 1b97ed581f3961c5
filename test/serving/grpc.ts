// The gRPC side, asked by a client that is generated from the messages that the server itself hands out.

import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiServer } from '../../cli/serving/server.js'
import { floatToHalf } from '../../runtime/base/half.js'
import { baseSeed, Random } from '../support/random.js'
import {
  ask,
  echoModel,
  expected,
  floats,
  folderOf,
  held,
  put,
  slowModel,
  smallModel,
  start,
  until
} from '../support/serving.js'

const test = suite(`serving: gRPC (seed ${baseSeed})`)
const random = new Random('grpc')
const small = smallModel(random)

// biome-ignore lint/suspicious/noExplicitAny: messages of a generated client
type Message = any

let server: ApiServer
let client: grpc.Client & Record<string, (...given: unknown[]) => grpc.ClientUnaryCall>
let place: string

test.before(async () => {
  place = folderOf({
    'small/2/model.onnx': small,
    'echo.onnx': echoModel(random, ['float16', 'int64', 'bool', 'int8'])
  })
  put(place, 'slow.onnx', slowModel(random))
  server = await start(place, { threads: 1, queue: 2, maxBatch: 1 })
  put(place, 'inference.proto', (await ask(`${server.url}/docs/inference.proto`)).bytes)
  const loaded = grpc.loadPackageDefinition(loadSync(join(place, 'inference.proto'), { keepCase: true, longs: String }))
  const { GRPCInferenceService } = loaded.inference as Message
  client = new GRPCInferenceService(`127.0.0.1:${server.grpcPort}`, grpc.credentials.createInsecure())
})
test.after(async () => {
  client.close()
  await server.close()
})

const call = (name: string, request: object, options: grpc.CallOptions = {}): Promise<Message> =>
  new Promise((resolve, reject) =>
    client[name](request, options, (error: Error | null, answer: Message) => (error ? reject(error) : resolve(answer)))
  )

async function refused(name: string, request: object, code: grpc.status, message: RegExp, options = {}): Promise<void> {
  try {
    await call(name, request, options)
  } catch (error) {
    const { code: actual, details } = error as grpc.ServiceError
    assert.equal([grpc.status[actual], message.test(details)], [grpc.status[code], true], details)
    return
  }
  assert.unreachable(`${name} was answered`)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

const tensor = (name: string, datatype: string, shape: number[], contents?: object) => ({
  ...{ name, datatype, shape },
  ...(contents ? { contents } : {})
})

test('every call of the protocol and of the repository extension', async () => {
  assert.equal(await call('ServerLive', {}), { live: true })
  assert.equal(await call('ServerReady', {}), { ready: true })
  assert.equal(await call('ModelReady', { name: 'small', version: '2' }), { ready: true })
  const metadata = await call('ServerMetadata', {})
  assert.equal(metadata, { name: 'cairn', version: '1.2.3', extensions: ['binary_tensor_data', 'model_repository'] })
  const { inputs, ...rest } = await call('ModelMetadata', { name: 'small' })
  assert.equal(inputs, [{ name: 'x', datatype: 'FP32', shape: ['-1', '3', '8', '8'] }])
  assert.equal([rest.versions, rest.platform], [['2'], 'cairn'])
  await call('RepositoryModelUnload', { model_name: 'small' })
  await refused('ModelInfer', { model_name: 'small' }, grpc.status.UNAVAILABLE, /not loaded: unloaded|is not loaded/)
  assert.equal(await call('ModelReady', { name: 'small' }), { ready: false })
  assert.equal(await call('ServerReady', {}), { ready: true })
  const { models } = await call('RepositoryIndex', {})
  assert.equal(
    models.map(({ name, state }: Message) => `${name} ${state}`),
    ['echo READY', 'slow READY', 'small UNAVAILABLE']
  )
  await call('RepositoryModelLoad', { model_name: 'small' })
  assert.is((await call('RepositoryIndex', { ready: true })).models.length, 3)
})

test('raw and typed contents give what a session gives, each in its own form', async () => {
  const x = floats(random, 2 * 192)
  const want = await expected(small, x, [2, 3, 8, 8])
  const raw = await call('ModelInfer', {
    ...{ model_name: 'small', model_version: '2', id: 'a', inputs: [tensor('x', 'FP32', [2, 3, 8, 8])] },
    raw_input_contents: [bytesOf(x)]
  })
  assert.equal([raw.model_name, raw.model_version, raw.id], ['small', '2', 'a'])
  assert.equal([raw.outputs[0].name, raw.outputs[0].shape], ['y', ['2', '10']])
  assert.equal(raw.raw_output_contents, [bytesOf(want)])
  const typed = await call('ModelInfer', {
    ...{ model_name: 'small', inputs: [tensor('x', 'FP32', [2, 3, 8, 8], { fp32_contents: [...x] })] },
    outputs: [{ name: 'y' }]
  })
  assert.equal(typed.outputs[0].contents.fp32_contents, [...want])
  assert.not.ok(typed.raw_output_contents?.length)

  const inputs = [
    tensor('in_int64', 'INT64', [1, 3], { int64_contents: ['-5', '0', '1000000'] }),
    tensor('in_bool', 'BOOL', [1, 3], { bool_contents: [true, false, true] }),
    tensor('in_int8', 'INT8', [1, 3], { int_contents: [-128, 0, 127] })
  ]
  const half = tensor('in_float16', 'FP16', [1, 3])
  const named = ['int64', 'bool', 'int8'].map(type => ({ name: `out_${type}` }))
  await refused(
    'ModelInfer',
    { model_name: 'echo', inputs: [...inputs, half] },
    3,
    /is FP16: raw_input_contents holds it/
  )
  const halves = Uint16Array.of(...[1, -2, 0.5].map(floatToHalf))
  const all = [BigInt64Array.of(-5n, 0n, 1000000n), Uint8Array.of(1, 0, 1), Int8Array.of(-128, 0, 127), halves].map(
    bytesOf
  )
  const bare = [...inputs.map(({ name, datatype, shape }) => tensor(name, datatype, shape)), half]
  const back = await call('ModelInfer', {
    ...{ model_name: 'echo', inputs: bare, raw_input_contents: all },
    outputs: [...named, { name: 'out_float16' }]
  })
  assert.equal(back.raw_output_contents, all)
})

test('every refusal has its code', async () => {
  const x = tensor('x', 'FP32', [1, 3, 8, 8], { fp32_contents: [...floats(random, 192)] })
  const infer = (request: object) => ['ModelInfer', { model_name: 'small', ...request }] as const
  const { NOT_FOUND, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED } = grpc.status
  await refused('ModelMetadata', { name: 'none' }, NOT_FOUND, /no model "none"/)
  await refused('ModelReady', { name: 'small', version: '9' }, NOT_FOUND, /no version "9"/)
  await refused('RepositoryModelLoad', { model_name: 'none' }, NOT_FOUND, /in the repository/)
  await refused('RepositoryModelUnload', { model_name: 'none' }, NOT_FOUND, /no model/)
  await refused(...infer({ inputs: [] }), INVALID_ARGUMENT, /input "x" is missing/)
  await refused(...infer({ inputs: [x], raw_input_contents: [Buffer.alloc(768)] }), INVALID_ARGUMENT, /beside raw/)
  await refused(...infer({ inputs: [x, x] }), INVALID_ARGUMENT, /twice/)
  await refused(...infer({ inputs: [{ ...x, datatype: 'BYTES' }] }), INVALID_ARGUMENT, /no model here takes it/)
  await refused(...infer({ inputs: [{ ...x, datatype: 'INT32' }] }), INVALID_ARGUMENT, /int_contents holds it/)
  await refused(
    ...infer({ inputs: [{ ...x, shape: [1, 3, 8, 9] }] }),
    INVALID_ARGUMENT,
    /has 192 elements|864|768 bytes/
  )
  await refused(...infer({ inputs: [{ ...x, shape: [-1, 3, 8, 8] }] }), INVALID_ARGUMENT, /whole numbers from 0/)
  await refused(...infer({ inputs: [x], outputs: [{ name: 'z' }] }), INVALID_ARGUMENT, /no output "z"/)
  const classes = { name: 'y', parameters: { classification: { int64_param: '3' } } }
  await refused(...infer({ inputs: [x], outputs: [classes] }), INVALID_ARGUMENT, /classification extension/)
  await refused(...infer({ inputs: [x], parameters: { timeout: { int64_param: '0' } } }), INVALID_ARGUMENT, /timeout/)
  const large = { inputs: [tensor('x', 'FP32', [1])], raw_input_contents: [Buffer.alloc(2 ** 20 + 1)] }
  await refused(...infer(large), RESOURCE_EXHAUSTED, /larger than max/)
  const files = { 'file:1/model.onnx': { bytes_param: Buffer.from(small) } }
  await refused('RepositoryModelLoad', { model_name: 'up', parameters: files }, INVALID_ARGUMENT, /--uploads/)
  const other = '/inference.GRPCInferenceService/ModelStreamInfer'
  const unknown = new Promise<grpc.ServiceError | null>(resolve =>
    client.makeUnaryRequest(
      other,
      () => Buffer.alloc(0),
      String,
      '',
      (error: grpc.ServiceError | null) => resolve(error)
    )
  )
  assert.is((await unknown)?.code, UNIMPLEMENTED)
})

test('a full queue, a deadline and a client that goes away', async () => {
  const slow = {
    model_name: 'slow',
    inputs: [tensor('x', 'FP32', [1, 3, 64, 64])],
    raw_input_contents: [Buffer.alloc(49152)]
  }
  const { RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED } = grpc.status
  const free = held(server)
  const { lane } = server.repository.find('slow')
  const waiting = [call('ModelInfer', slow), call('ModelInfer', slow)]
  await until(() => lane.length === 2, 'the queue is full')
  await refused('ModelInfer', slow, RESOURCE_EXHAUSTED, /2 requests are waiting/)
  free()
  await Promise.all(waiting)

  const counted = async (code: string) =>
    (await (await fetch(`${server.url}/metrics`)).text()).includes(
      `cairn_requests_total{model="slow",protocol="grpc",code="${code}"}`
    )
  const freeAgain = held(server)
  let under: grpc.ClientUnaryCall | undefined
  const gone = new Promise<grpc.ServiceError>(resolve => {
    under = client.ModelInfer(slow, {}, (error: grpc.ServiceError) => resolve(error))
  })
  await until(() => lane.length === 1, 'the server has the call')
  under?.cancel()
  assert.is((await gone).code, CANCELLED)
  await until(() => counted('cancelled'), 'the server has seen that it is gone')
  const hasty = { ...slow, parameters: { timeout: { int64_param: '1000' } } }
  await refused('ModelInfer', hasty, DEADLINE_EXCEEDED, /deadline/)
  await refused('ModelInfer', slow, DEADLINE_EXCEEDED, /eadline/, { deadline: Date.now() + 5 })
  assert.equal([await counted('busy'), await counted('late')], [true, true])
  freeAgain()
})

test.run()
