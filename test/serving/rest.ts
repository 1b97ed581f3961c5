// The REST side of the Open Inference Protocol: what every call answers, in JSON and in bytes.
import { PNG } from 'pngjs'
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
  inputOf,
  mixingModel,
  rangeModel,
  smallModel,
  start
} from '../support/serving.js'

const test = suite(`serving: REST (seed ${baseSeed})`)
const random = new Random('rest')
const small = smallModel(random)
const second = smallModel(random)
const types = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'] as const

let server: ApiServer
let url: string
const log: string[] = []

test.before(async () => {
  const place = folderOf({
    'small/1/model.onnx': small,
    'small/3/model.onnx': second,
    'small/labels.txt': Array.from({ length: 10 }, (_, i) => `class ${i}`).join('\n'),
    'fixed.onnx': smallModel(random, 1),
    'mixing.onnx': mixingModel(random),
    'range.onnx': rangeModel(random),
    'echo.onnx': echoModel(random, types),
    'broken.onnx': 'no model',
    'small/none/model.onnx': 'no version'
  })
  server = await start(place, {}, log)
  url = server.url
})
test.after(() => server.close())

const infer = (name: string, body: string | Uint8Array | object, headers: Record<string, string> = {}) =>
  ask(`${url}/v2/models/${name}/infer`, body, { headers })

/** JSON and the bytes behind it. */
function binary(json: object, ...tensors: readonly Uint8Array[]): [Uint8Array, Record<string, string>] {
  const head = Buffer.from(JSON.stringify(json))
  return [Buffer.concat([head, ...tensors]), { 'inference-header-content-length': String(head.length) }]
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

test('health and metadata are as the protocol has them; a model that cannot be loaded keeps the server from ready', async () => {
  assert.equal((await ask(`${url}/v2/health/live`)).json, { live: true })
  const ready = await ask(`${url}/v2/health/ready`)
  assert.equal([ready.status, ready.json], [503, { ready: false }])
  assert.equal((await ask(`${url}/v2`)).json, {
    name: 'cairn',
    version: '1.2.3',
    extensions: ['binary_tensor_data', 'model_repository']
  })
  const metadata = {
    name: 'small',
    versions: ['1', '3'],
    platform: 'cairn',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 8, 8] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }]
  }
  for (const path of ['small', 'small/versions/1', 'small/'])
    assert.equal((await ask(`${url}/v2/models/${path}`)).json, metadata)
  assert.equal((await ask(`${url}/v2/models/small/ready`)).json, { name: 'small', ready: true })
  assert.equal((await ask(`${url}/v2/models/small/versions/3/ready`)).status, 200)
  const broken = await ask(`${url}/v2/models/broken/ready`)
  assert.equal([broken.status, broken.json], [503, { name: 'broken', ready: false }])
  assert.match((await ask(`${url}/v2/models/broken`)).json.error, /^model "broken" is not loaded: .*broken\.onnx/)
})

test('JSON, flat and nested, and bytes give what a session gives; the newest version answers who names none', async () => {
  const x = floats(random, 2 * 192)
  const [want, first] = [await expected(second, x, [2, 3, 8, 8]), await expected(small, x, [2, 3, 8, 8])]
  const flat = await infer('small', { id: 'a 1', inputs: [inputOf('x', [2, 3, 8, 8], x)] })
  assert.is(flat.status, 200, flat.text)
  const { outputs, ...head } = flat.json
  assert.equal(head, { model_name: 'small', model_version: '3', id: 'a 1' })
  assert.equal(outputs, [{ name: 'y', shape: [2, 10], datatype: 'FP32', data: [...want] }])
  const rows = [x.subarray(0, 192), x.subarray(192)].map(row =>
    [row.subarray(0, 64), [...row.subarray(64)]].map(a => [...a])
  )
  const nested = await infer('small/versions/1', { inputs: [{ ...inputOf('x', [2, 3, 8, 8], []), data: rows }] })
  assert.equal(nested.json.outputs[0].data, [...first])
  assert.is(nested.json.model_version, '1')

  const given = { ...inputOf('x', [2, 3, 8, 8], []), data: undefined, parameters: { binary_data_size: x.byteLength } }
  for (const wish of [
    { parameters: { binary_data_output: true } },
    { outputs: [{ name: 'y', parameters: { binary_data: true } }] }
  ]) {
    const reply = await infer('small', ...binary({ inputs: [given], ...wish }, bytesOf(x)))
    assert.is(reply.status, 200, reply.text)
    assert.is(reply.headers.get('content-type'), 'application/octet-stream')
    const headed = Number(reply.headers.get('inference-header-content-length'))
    const json = JSON.parse(Buffer.from(reply.bytes.subarray(0, headed)).toString())
    assert.equal(json.outputs, [{ name: 'y', shape: [2, 10], datatype: 'FP32', parameters: { binary_data_size: 80 } }])
    assert.equal(new Float32Array(reply.bytes.slice(headed).buffer), want)
  }
  const asJson = await infer('small', ...binary({ inputs: [given] }, bytesOf(x)))
  assert.equal([asJson.headers.get('inference-header-content-length'), asJson.json.outputs[0].data], [null, [...want]])
})

const samples = {
  bool: Uint8Array.of(1, 0, 1),
  uint8: Uint8Array.of(0, 7, 255),
  int8: Int8Array.of(-128, 0, 127),
  int16: Int16Array.of(-32768, 1, 32767),
  int32: Int32Array.of(-70000, 0, 70000),
  int64: BigInt64Array.of(-5n, 0n, 1000000n),
  float16: Uint16Array.of(...[-1.5, 0.25, 3].map(floatToHalf)),
  float32: Float32Array.of(-1.5, 0.25, 1e9),
  float64: Float64Array.of(-1.5, 0.25, 1e9)
}
const datatypes = ['BOOL', 'UINT8', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64']

test('every element type goes through bytes, and all but FP16 through JSON', async () => {
  const inputs = types.map((type, i) => ({
    ...{ name: `in_${type}`, shape: [1, 3], datatype: datatypes[i] },
    parameters: { binary_data_size: samples[type].byteLength }
  }))
  const tensors = types.map(type => bytesOf(samples[type]))
  const whole = await infer('echo', ...binary({ inputs, parameters: { binary_data_output: true } }, ...tensors))
  assert.is(whole.status, 200, whole.text)
  const headed = Number(whole.headers.get('inference-header-content-length'))
  const json = JSON.parse(Buffer.from(whole.bytes.subarray(0, headed)).toString())
  assert.equal(
    json.outputs.map((o: { datatype: string }) => o.datatype),
    datatypes
  )
  assert.equal(Buffer.from(whole.bytes.subarray(headed)), Buffer.concat(tensors))

  const plain = types.map((type, i) =>
    type === 'float16'
      ? inputs[i]
      : inputOf(`in_${type}`, [1, 3], Array.from(samples[type] as Float32Array, Number), datatypes[i])
  )
  const outputs = types.filter(type => type !== 'float16').map(type => ({ name: `out_${type}` }))
  const [body, headers] = binary({ inputs: plain, outputs: outputs.reverse() }, bytesOf(samples.float16))
  const reply = await infer('echo', body, headers)
  assert.is(reply.status, 200, reply.text)
  assert.equal(
    reply.json.outputs.map((o: { name: string }) => o.name),
    outputs.map(({ name }) => name)
  )
  for (const { name, data } of reply.json.outputs) {
    const type = name.slice(4) as keyof typeof samples
    const values = Array.from(samples[type] as Float32Array, Number)
    assert.equal(data, type === 'bool' ? values.map(Boolean) : values, name)
  }
  const half = { ...inputs[6], parameters: undefined, data: [1, 2, 3] }
  assert.match((await infer('echo', { inputs: [half] })).json.error, /FP16 has no form in JSON/)
})

test('what is wrong with a request is said in a line, with 400', async () => {
  const x = inputOf('x', [1, 3, 8, 8], floats(random, 192))
  const size = (n: unknown) => ({ ...x, data: undefined, parameters: { binary_data_size: n } })
  const wrong: [string | object, RegExp][] = [
    ['', /no body/],
    ['{"inputs": [', /no JSON/],
    ['[]', /no JSON object/],
    [Buffer.from([0xff, 0xfe]) as never, /no JSON/],
    [{}, /"inputs" is a list of objects/],
    [{ inputs: [1] }, /"inputs" is a list of objects/],
    [{ inputs: [{ ...x, name: undefined }] }, /an input has no name/],
    [{ inputs: [{ ...x, name: 'z' }] }, /no input "z"; the model takes "x"/],
    [{ inputs: [] }, /input "x" is missing; it is FP32 \[-1,3,8,8\]/],
    [{ inputs: [x, x] }, /given twice/],
    [{ inputs: [{ ...x, shape: [1, 3, 8] }] }, /has 192 elements; shape \[1,3,8\] has 24|more elements/],
    [{ inputs: [{ ...x, shape: [1, 3, 4, 16] }] }, /shape \[1,3,4,16\]; it is FP32/],
    [{ inputs: [{ ...x, shape: [1, -3, 8, 8] }] }, /whole numbers from 0/],
    [{ inputs: [{ ...x, shape: [2 ** 40, 3, 8, 8] }] }, /192 elements/],
    [{ inputs: [{ ...x, shape: [100, 3, 8, 8], data: new Array(19200).fill(0) }] }, /a batch of 100; up to 64/],
    [{ inputs: [{ ...x, datatype: 'FP64' }] }, /is FP64; it is FP32/],
    [{ inputs: [{ ...x, datatype: 'BYTES' }] }, /no model here takes it/],
    [{ inputs: [{ ...x, datatype: 'BF16' }] }, /no model here takes it/],
    [{ inputs: [{ ...x, datatype: 'FLOAT' }] }, /no such datatype/],
    [{ inputs: [{ ...x, data: x.data.map(String) }] }, /is no FP32/],
    [{ inputs: [{ ...x, data: undefined }] }, /has no data/],
    [{ inputs: [size(768)] }, /Inference-Header-Content-Length is missing/],
    [{ inputs: [x], outputs: [{ name: 'z' }] }, /no output "z"; the model gives "y"/],
    [{ inputs: [x], outputs: [{ name: 'y', parameters: { classification: 3 } }] }, /classification extension/],
    [{ inputs: [x], id: 7 }, /"id" is a text/],
    [{ inputs: [x], parameters: { timeout: -1 } }, /microseconds/],
    [{ inputs: [x], parameters: { binary_data_output: 'yes' } }, /true or false/]
  ]
  for (const [body, message] of wrong) {
    const reply = await infer('small', body)
    assert.is(reply.status, 400, `${JSON.stringify(body).slice(0, 200)} ${reply.text}`)
    assert.equal(Object.keys(reply.json), ['error'])
    assert.match(reply.json.error, message)
    assert.not.match(reply.json.error, /\n/)
  }
  for (const [json, tensors, message] of [
    [{ inputs: [size(767)] }, 767, /767 bytes of data; FP32 of shape/],
    [{ inputs: [size(768)] }, 700, /the body has 700 bytes left/],
    [{ inputs: [size('768')] }, 768, /binary_data_size/],
    [{ inputs: [size(768)] }, 800, /32 bytes behind the last/],
    [{ inputs: [{ ...x, ...size(768), data: [1] }] }, 768, /both data and binary_data_size/]
  ] as const) {
    const reply = await infer('small', ...binary(json, new Uint8Array(tensors)))
    assert.equal([reply.status, message.test(reply.json.error)], [400, true], reply.text)
  }
  for (const header of ['x', '-1', '99999'])
    assert.is((await infer('small', { inputs: [x] }, { 'inference-header-content-length': header })).status, 400)
})

test('what is not there is 404, what is compressed 415, what is too large 413', async () => {
  for (const path of ['/v2/models/none', '/v2/models/small/versions/2', '/nothing', '/v2/models/none/ready'])
    assert.equal(Object.keys((await ask(url + path)).json), ['error'], path)
  assert.is((await ask(`${url}/v2/models/none`)).status, 404)
  assert.is((await infer('small/versions/2', '{}')).status, 400)
  assert.is((await infer('none', { inputs: [] })).status, 404)
  assert.is((await ask(`${url}/v2/models/small/infer`)).status, 404)
  assert.is((await infer('small', '{}', { 'content-encoding': 'gzip' })).status, 415)
  const large = await infer('small', new Uint8Array(2 ** 20 + 1))
  assert.equal([large.status, /up to 1048576 are allowed/.test(large.json.error)], [413, true])
  const chunks = new ReadableStream({
    pull: controller => controller.enqueue(new Uint8Array(2 ** 16))
  })
  const init = { method: 'POST', body: chunks, duplex: 'half' } as RequestInit
  const streamed = await ask(`${url}/v2/models/small/infer`, undefined, init)
  assert.is(streamed.status, 413)
})

test('numbers that JSON does not have are refused there and given as bytes', async () => {
  const x = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY)
  const feeds = types.map((type, i) => ({
    ...{ name: `in_${type}`, shape: [1, 3], datatype: datatypes[i] },
    parameters: { binary_data_size: samples[type].byteLength }
  }))
  const tensors = types.map(type => bytesOf(type === 'float32' ? x : samples[type]))
  const outputs = [{ name: 'out_float32' }]
  const refused = await infer('echo', ...binary({ inputs: feeds, outputs }, ...tensors))
  assert.equal([refused.status, /JSON cannot hold NaN/.test(refused.text)], [400, true])
  const given = await infer(
    'echo',
    ...binary({ inputs: feeds, outputs, parameters: { binary_data_output: true } }, ...tensors)
  )
  assert.equal(given.bytes.slice(-12), bytesOf(x))
})

test('those who ask at once get each their own answer; where rows mix, nobody shares a run', async () => {
  const ask = async (model: string, x: Float32Array, dims: number[]) =>
    (await infer(model, { inputs: [inputOf('x', dims, x)] })).json.outputs[0].data
  const many = Array.from({ length: 40 }, (_, i) => floats(random, 192 * ((i % 3) + 1)))
  const answers = await Promise.all(many.map(x => ask('small', x, [x.length / 192, 3, 8, 8])))
  for (const [i, x] of many.entries()) {
    const want = await expected(second, x, [x.length / 192, 3, 8, 8])
    answers[i].forEach((y: number, j: number) => assert.ok(Math.abs(y - want[j]) < 1e-4))
  }
  const ones = Array.from({ length: 20 }, () => floats(random, 4))
  for (const data of await Promise.all(ones.map(x => ask('mixing', x, [1, 4])))) assert.equal(data, [1, 1, 1, 1])
  const metrics = (await (await fetch(`${url}/metrics`)).text()).split('\n')
  const metric = (name: string, model: string) =>
    Number(
      metrics
        .find(line => line.startsWith(`${name}{model="${model}",version="${model === 'small' ? 3 : 1}"`))
        ?.split(' ')[1]
    )
  assert.is(metric('cairn_batch_size_sum', 'mixing'), metric('cairn_batch_size_count', 'mixing'))
  assert.ok(metric('cairn_batch_size_count', 'small') <= metric('cairn_queue_seconds_count', 'small'))
})

test('a picture is classified, with the names of its classes', async () => {
  const png = new PNG({ width: 20, height: 12 })
  png.data.forEach((_, i) => {
    png.data[i] = random.int(0, 255)
  })
  const bytes = PNG.sync.write(png)
  const { json, status, text } = await ask(`${url}/classify/small?top=3`, bytes)
  assert.is(status, 200, text)
  assert.equal([json.model_name, json.model_version, json.classes.length], ['small', '3', 3])
  for (const { index, score, label } of json.classes) {
    assert.is(label, `class ${index}`)
    assert.ok(score > 0 && score <= 1)
  }
  const bare = (await ask(`${url}/classify/small?top=3&mean=0&std=1`, bytes)).json
  const same = (await ask(`${url}/classify/small?top=3&mean=0,0,0&std=1,1,1`, bytes)).json
  assert.equal(bare.classes, same.classes)
  assert.not.equal(bare.classes, json.classes)
  for (const [query, message] of [
    ['means=0.5', /no parameter "means"; top, size, .*mean, std/],
    ['std=0', /std 0: numbers other than 0/],
    ['bgr=7', /bgr is a switch/],
    ['mean=1&mean=2', /mean may be given once/],
    ['top=0', /top is a whole number/]
  ] as const) {
    const refused = await ask(`${url}/classify/small?${query}`, bytes)
    assert.is(refused.status, 400, refused.text)
    assert.match(refused.json.error, message)
  }
  // A bitmap of 81 million pixels, of which it has none.
  const huge = Buffer.alloc(60)
  huge.write('BM')
  for (const [at, value] of [
    [2, 60],
    [10, 54],
    [14, 40],
    [18, 9000],
    [22, 9000],
    [26, 0x180001]
  ] as const)
    huge.writeUInt32LE(value, at)
  const webp = Buffer.alloc(30)
  webp.write('RIFF\x16\0\0\0WEBPVP8X\x0a')
  webp.writeUIntLE(8999, 24, 3)
  webp.writeUIntLE(8999, 27, 3)
  const box = (name: string, ...inside: readonly Buffer[]) => {
    const head = Buffer.from(`\0\0\0\0${name}`)
    head.writeUInt32BE(8 + Buffer.concat(inside).length)
    return Buffer.concat([head, ...inside])
  }
  const ispe = box('ispe', Buffer.from([0, 0, 0, 0, 0, 0, 0x23, 0x28, 0, 0, 0x23, 0x28]))
  const avif = Buffer.concat([
    box('ftyp', Buffer.from('avif\0\0\0\0avifmif1')),
    box('meta', Buffer.alloc(4), box('iprp', box('ipco', ispe)))
  ])
  for (const [path, body, message] of [
    ['small?top=0', bytes, /top is/],
    ['small', 'no picture', /is a text file/],
    ['small', bytes.subarray(0, 60), /damaged/],
    ['small', huge, /9000×9000 pixels; up to 50 million/],
    ['small', webp, /9000×9000 pixels; up to 50 million/],
    ['small', avif, /9000×9000 pixels; up to 50 million/],
    ['echo', bytes, /inputs; a picture is one/],
    ['mixing', bytes, /no input with 1 or 3 channels/]
  ] as const) {
    const reply = await ask(`${url}/classify/${path}`, body)
    assert.is(reply.status, 400, reply.text)
    assert.match(reply.json.error, message)
  }
})

test('the description names every path and loads nothing from elsewhere; the log holds no payload', async () => {
  const { json } = await ask(`${url}/openapi.json`)
  const paths = Object.keys(json.paths)
  for (const path of ['/v2', '/v2/health/live', '/v2/models/{name}/versions/{version}/infer', '/classify/{name}'])
    assert.ok(paths.includes(path), path)
  const page = (await ask(`${url}/docs`)).text
  for (const path of paths) assert.ok(page.includes(path), path)
  assert.not.match(page, /https?:\/\//)
  assert.match((await ask(`${url}/docs/inference.proto`)).text, /service GRPCInferenceService/)
  assert.ok(log.length > 20)
  assert.not.match(log.join(''), /"data"|inputs/)
})

test('rows share a run only where each gives what it gives alone', () => {
  const shared = ['small', 'mixing', 'range', 'echo'].map(name => server.repository.find(name).isBatched)
  assert.equal(shared, [true, false, false, true])
})

test.run()
