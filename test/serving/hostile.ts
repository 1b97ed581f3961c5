// Short forms of what the internet does to servers: each is refused in a line, and memory stays where it was.

import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiServer } from '../../cli/serving/server.js'
import { baseSeed, Random } from '../support/random.js'
import { ask, floats, folderOf, inputOf, smallModel, start, until } from '../support/serving.js'

const test = suite(`serving: hostile (seed ${baseSeed})`)
const random = new Random('hostile')

let server: ApiServer
/** Gives up after 1.5 s, on requests and on results alike: it is asked only what must be given up, and whether it lives. */
let hasty: ApiServer
let port: number

test.before(async () => {
  const folder = folderOf({ 'small.onnx': smallModel(random) })
  server = await start(folder, { timeout: 30_000, maxBody: 2 ** 20 })
  hasty = await start(folder, { timeout: 1500, maxBody: 2 ** 20 })
  port = portOf(server)
})
test.after(async () => {
  await Promise.all([server.close(), hasty.close()])
})

const portOf = ({ url }: ApiServer) => Number(new URL(url).port)

const opened = (text = '', to = port): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(to, '127.0.0.1', () => {
      if (text) socket.write(text)
      resolve(socket)
    })
    socket.on('error', reject)
  })

/** All that comes until the server closes the connection. */
const rest = (socket: Socket): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    socket.on('data', data => (text += data))
    socket.on('close', () => resolve(text))
    socket.on('error', () => undefined)
  })

async function assertServes(): Promise<void> {
  assert.is((await ask(`${hasty.url}/v2/health/live`)).status, 200)
  const x = floats(random, 192)
  const { status } = await ask(`${server.url}/v2/models/small/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] })
  assert.is(status, 200)
}

const memory = () => {
  global.gc?.()
  return process.memoryUsage().rss
}

test('headers or a body that come in drops are given up in time', async () => {
  const begin = 'POST /v2/models/small/infer HTTP/1.1\r\nhost: localhost\r\n'
  const head = await opened(begin, portOf(hasty))
  const body = await opened(`${begin}content-length: 1000\r\n\r\n{`, portOf(hasty))
  const silent = await opened('', portOf(hasty))
  const drip = setInterval(() => {
    if (head.writable) head.write('a: b\r\n')
    if (body.writable) body.write(' ')
  }, 200)
  const answers = await Promise.all([head, body, silent].map(rest))
  clearInterval(drip)
  for (const answer of answers.slice(0, 2)) assert.match(answer, /^HTTP\/1.1 408 /)
  assert.match(answers[0], /not come in time/)
  await assertServes()
})

test('a body that says it has ten gigabytes is refused before it comes', async () => {
  const before = memory()
  const socket = await opened(
    'POST /v2/models/small/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10737418240\r\n\r\n'
  )
  const answer = rest(socket)
  const junk = Buffer.alloc(2 ** 16)
  const pour = setInterval(() => socket.writable && socket.write(junk), 1)
  assert.match(await answer, /^HTTP\/1.1 413 /)
  clearInterval(pour)
  assert.ok(memory() - before < 2 ** 26)
  await assertServes()
})

test('many bodies together fill no more than their share, and those that only say so nothing', async () => {
  const own = await start(folderOf({ 'small.onnx': smallModel(random) }), { maxBody: 2 ** 16, timeout: 600_000 })
  const head = `POST /v2/models/small/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${2 ** 16}\r\n\r\n`
  const to = portOf(own)
  const silent = await Promise.all(Array.from({ length: 12 }, () => opened(head, to)))
  const asked = JSON.stringify({ inputs: [inputOf('x', [1, 3, 8, 8], floats(random, 192))] }).padEnd(60_000)
  const status = async () => {
    const reply = await ask(`${own.url}/v2/models/small/infer`, asked)
    if (reply.status === 429) assert.is(reply.headers.get('retry-after'), '1')
    return reply.status
  }
  const held = async (bytes: number) =>
    new RegExp(`^cairn_body_bytes ${bytes}$`, 'm').test((await ask(`${own.url}/metrics`)).text)
  assert.is(await status(), 200)
  await until(() => held(0), 'nobody holds anything')
  const sockets = await Promise.all(Array.from({ length: 8 }, () => opened(head, to)))
  for (const socket of sockets) socket.write(Buffer.alloc(60_000))
  await until(() => held(480_000), 'eight bodies are held')
  assert.is(await status(), 429)
  for (const socket of [...silent, ...sockets]) socket.destroy()
  await until(() => held(0), 'those who have gone hold nothing')
  assert.is(await status(), 200)
  await own.close()
})

test('JSON of millions of values is refused before it is read, a long text is not', async () => {
  const own = await start(folderOf({ 'small.onnx': smallModel(random) }), { maxBody: 2 ** 24 })
  const url = `${own.url}/v2/models/small/infer`
  const many = await ask(url, `{"inputs":[${'{},'.repeat(2.9e6)}{}]}`)
  assert.equal([many.status, /bytes of JSON/.test(many.text)], [413, true], many.text)
  const long = await ask(url, { id: 'x'.repeat(9e6), inputs: [] })
  // An input of booleans in gRPC's typed contents: field 5, nine million bytes long.
  const typed = Buffer.concat([Buffer.of(0x2a, 0xc0, 0xa8, 0xa5, 0x04), Buffer.alloc(9e6)])
  assert.is(await statusOf(own.grpcPort!, typed.length, typed), 8)
  // One that only says so is no message.
  assert.is(await statusOf(own.grpcPort!, 100, typed.subarray(0, 100)), 13)
  assert.equal([long.status, /"id" is a text/.test(long.json.error)], [400, true], long.text)
  await own.close()
})

/** The status of a call whose message of `length` bytes begins with `bytes`. */
async function statusOf(
  port: number,
  length: number,
  bytes: Buffer,
  headers: Record<string, string> = {}
): Promise<number> {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/inference.GRPCInferenceService/ModelInfer' },
    ...{ 'content-type': 'application/grpc', te: 'trailers', ...headers }
  })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(length, 1)
  stream.write(Buffer.concat([head, bytes]))
  if (bytes.length === length) stream.end()
  const status = await new Promise<number>((resolve, reject) => {
    for (const event of ['response', 'trailers'] as const)
      stream.on(event, headers => headers['grpc-status'] !== undefined && resolve(Number(headers['grpc-status'])))
    stream.on('error', reject)
  })
  session.destroy()
  return status
}

const halfACall = (port: number, bytes: number) => statusOf(port, 2 ** 19, Buffer.alloc(bytes))

test('a gRPC message without the token is not read, one that does not end is given up', async () => {
  const own = await start(folderOf({ 'small.onnx': smallModel(random) }), { token: 'secret', timeout: 20_000 })
  const began = Date.now()
  assert.is(await halfACall(own.grpcPort!, 1000), 16)
  assert.ok(Date.now() - began < 15_000)
  await own.close()
  // More than are read at once: those that wait are given up as well, and then others are read.
  const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => halfACall(hasty.grpcPort!, 1000 * (i + 1))))
  assert.equal([...new Set(statuses)], [4])
  await assertServes()
})

test('pages of other sites, and names that only lead here, are refused without a token', async () => {
  const url = `${server.url}/v2/models/small/infer`
  const body = { inputs: [inputOf('x', [1, 3, 8, 8], floats(random, 192))] }
  const own = new URL(url).host
  for (const [header, value, status] of [
    ['origin', 'https://example.com', 403],
    ['origin', `http://${own}.example.com`, 403],
    ['origin', `http://${own}`, 200],
    ['host', 'example.com', 403],
    ['host', 'localhost.example.com:80', 403],
    ['host', '[::1]:8000', 200],
    ['sec-fetch-site', 'cross-site', 403],
    ['sec-fetch-site', 'same-origin', 200]
  ] as const) {
    const text = JSON.stringify(body)
    const lines = ['POST /v2/models/small/infer HTTP/1.1', `content-length: ${text.length}`, 'connection: close']
    const host = header === 'host' ? [] : [`host: ${own}`]
    const socket = await opened(`${[...lines, ...host, `${header}: ${value}`].join('\r\n')}\r\n\r\n${text}`)
    assert.match(await rest(socket), new RegExp(`^HTTP/1.1 ${status} `), `${header}: ${value}`)
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(metrics, /cairn_http_responses_total\{status="403"\} 5/)
})

test('idle connections by the hundred stop nobody, and more than are allowed are closed', async () => {
  const sockets = await Promise.all(Array.from({ length: 500 }, () => opened()))
  await assertServes()
  for (const socket of sockets) socket.destroy()
  const own = await start(folderOf({ 'small.onnx': smallModel(random) }), { maxConnections: 4 })
  for (const to of [portOf(own), own.grpcPort!]) {
    const silent = await Promise.all(Array.from({ length: 4 }, () => opened('', to)))
    assert.is(await rest(await opened('', to)), '')
    for (const socket of silent) socket.destroy()
  }
  const lives = () =>
    fetch(`${own.url}/v2/health/live`).then(
      ({ ok }) => ok,
      () => false
    )
  await until(lives, 'others are let in')
  await until(
    () =>
      statusOf(own.grpcPort!, 0, Buffer.alloc(0)).then(
        () => true,
        () => false
      ),
    'and over gRPC'
  )
  await own.close()
})

test('what is no HTTP, no JSON and no protocol buffer is refused, hundreds of times, and nothing grows', async () => {
  const url = `${server.url}/v2/models/small/infer`
  const good = Buffer.from(JSON.stringify({ inputs: [inputOf('x', [1, 3, 8, 8], floats(random, 192))] }))
  const spoiled = () => {
    const bytes = Buffer.from(good)
    for (let i = random.int(1, 5); i; i--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255)
    return random.chance(0.3) ? bytes.subarray(0, random.int(0, bytes.length)) : bytes
  }
  const round = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const { status, json } = await ask(url, spoiled())
      assert.ok(status === 400 || status === 200 || status === 404, `${status}`)
      if (status !== 200) assert.is(typeof json.error, 'string')
    }
  }
  await round(100)
  const before = memory()
  await round(400)
  assert.ok(memory() - before < 2 ** 26)
  const raw = await opened(`${'\0'.repeat(50)}\r\n\r\n`)
  assert.match(await rest(raw), /^HTTP\/1.1 400 .*no HTTP request/s)

  const session = connectHttp2(`http://127.0.0.1:${server.grpcPort}`)
  for (let i = 0; i < 300; i++) {
    const junk = Buffer.from(random.ints(random.int(1, 60), [0, 255]))
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, junk.length]), junk])
    const status = await new Promise<number>((resolve, reject) => {
      const stream = session.request({
        ...{ ':method': 'POST', ':path': '/inference.GRPCInferenceService/ModelInfer' },
        ...{ 'content-type': 'application/grpc', te: 'trailers' }
      })
      let code = -1
      stream.on('response', headers => (code = Number(headers['grpc-status'] ?? -1)))
      stream.on('trailers', headers => (code = Number(headers['grpc-status'])))
      stream.on('error', reject)
      stream.on('close', () => resolve(code))
      stream.resume().end(frame)
    })
    // No message, no such model, or a request without inputs.
    assert.ok([3, 5, 13].includes(status), `${status} for ${frame.toString('hex')}`)
  }
  session.close()
  await assertServes()
})

test.run()
