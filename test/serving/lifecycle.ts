// What a server owes: bounded queues, deadlines, threads that are replaced, models that change under way, an orderly end.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ServingError } from '../../cli/serving/protocol/errors.js'
import type { ApiServer } from '../../cli/serving/server.js'
import { InputError, needPeers } from '../../cli/terminal/index.js'
import { compile } from '../../compiler/index.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'
import {
  ask,
  expected,
  floats,
  folderOf,
  held,
  inputOf,
  put,
  slowModel,
  smallModel,
  start,
  until
} from '../support/serving.js'
import { skip } from '../support/skip.js'

const test = suite(`serving: lifecycle (seed ${baseSeed})`)
const random = new Random('lifecycle')
const small = smallModel(random)
const slow = slowModel(random)
const dims = [1, 3, 64, 64]

const inferSlow = (server: ApiServer, x: Float32Array, extra: object = {}, init: RequestInit = {}) =>
  ask(`${server.url}/v2/models/slow/infer`, { inputs: [inputOf('x', dims, x)], ...extra }, init)

const metric = async (server: ApiServer, name: string) =>
  Number(
    (await (await fetch(`${server.url}/metrics`)).text())
      .split('\n')
      .find(line => line.startsWith(name))
      ?.split(' ')[1] ?? 0
  )

function assertNear(actual: readonly number[], wanted: Float32Array): void {
  const most = Math.max(...wanted.map(Math.abs))
  actual.forEach((y, i) => assert.ok(Math.abs(y - wanted[i]) <= 1e-4 * most, `${y} for ${wanted[i]}`))
  assert.is(actual.length, wanted.length)
}

test('a full queue is 429 with Retry-After, a deadline 504, and who goes away makes room', async () => {
  const server = await start(folderOf({ 'slow.onnx': slow }), { threads: 1, queue: 2, maxBatch: 1 })
  const x = floats(random, 12288)
  const want = await expected(slow, x, dims)
  const free = held(server)
  const { lane } = server.repository.find('slow')
  const waiting = [inferSlow(server, x), inferSlow(server, x)]
  await until(() => lane.length === 2, 'the queue is full')
  for (let i = 0; i < 3; i++) {
    const { status, headers, json } = await inferSlow(server, x)
    assert.equal([status, Number(headers.get('retry-after')) >= 1], [429, true])
    assert.match(json.error, /2 requests are waiting/)
  }
  free()
  for (const { status, json } of await Promise.all(waiting)) {
    assert.is(status, 200)
    assertNear(json.outputs[0].data, want)
  }
  const freeAgain = held(server)
  const late = await inferSlow(server, x, { parameters: { timeout: 1000 } })
  assert.equal([late.status, /deadline/.test(late.text)], [504, true])
  freeAgain()
  // One goes while it waits, another while it runs.
  for (const runs of [false, true]) {
    const free = held(server)
    const control = new AbortController()
    const gone = inferSlow(server, x, {}, { signal: control.signal }).catch(error => error.name)
    await until(() => lane.length === 1, 'the request waits')
    if (runs) free()
    assert.is(server.pool.busy, Number(runs))
    control.abort()
    assert.is(await gone, 'AbortError')
    const cancelled = 'cairn_requests_total{model="slow",protocol="http",code="cancelled"}'
    await until(async () => (await metric(server, cancelled)) === (runs ? 2 : 1), 'counted')
    free()
  }
  assert.is((await inferSlow(server, x)).status, 200)
  await server.close()
})

test('what has come together while the threads were busy shares a run', async () => {
  const server = await start(folderOf({ 'small.onnx': small }), { threads: 1 })
  const free = held(server)
  const rows = Array.from({ length: 3 }, () => floats(random, 192))
  const control = new AbortController()
  const body = JSON.stringify({ inputs: [inputOf('x', [1, 3, 8, 8], rows[0])] })
  const under = rows.map(x => ask(`${server.url}/v2/models/small/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] }))
  const gone = ask(`${server.url}/v2/models/small/infer`, body, { signal: control.signal }).catch(() => 'gone')
  await until(async () => server.repository.find('small').lane.length === 4, 'all wait')
  control.abort()
  assert.is(await gone, 'gone')
  await until(
    async () => (await metric(server, 'cairn_requests_total{model="small",protocol="http",code="cancelled"}')) === 1,
    'the server has seen that one is gone'
  )
  free()
  for (const [i, { json }] of (await Promise.all(under)).entries())
    assertNear(json.outputs[0].data, await expected(small, rows[i], [1, 3, 8, 8]))
  const [runs, all] = ['cairn_batch_size_count', 'cairn_batch_size_sum'].map(name => `${name}{model="small"`)
  // Three rows wait, of which a run takes two, as many as are known to be good for: powers of two.
  assert.equal([await metric(server, runs), await metric(server, all)], [2, 3])
  await server.close()
})

test('a request may wait for others to share its run, and no longer than said', async () => {
  const server = await start(folderOf({ 'small.onnx': small }), { threads: 1, maxDelay: 150, maxBatch: 4 })
  const free = held(server)
  const rows = Array.from({ length: 5 }, () => floats(random, 192))
  const replies = Promise.all(
    rows.map(x => ask(`${server.url}/v2/models/small/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] }))
  )
  await until(() => server.repository.find('small').lane.length === 5, 'all wait')
  free()
  for (const [i, { json }] of (await replies).entries())
    assertNear(json.outputs[0].data, await expected(small, rows[i], [1, 3, 8, 8]))
  // Four together, and the fifth when it has waited.
  assert.is(await metric(server, 'cairn_batch_size_count{'), 2)
  assert.is(await metric(server, 'cairn_batch_size_sum{'), 5)
  await server.close()
})

test('a thread that dies is replaced, and its requests are answered by others, once', async () => {
  const server = await start(folderOf({ 'slow.onnx': slow }), { threads: 2, maxBatch: 2 })
  const asked = Array.from({ length: 12 }, () => floats(random, 12288))
  const free = held(server)
  const replies = Promise.all(asked.map(x => inferSlow(server, x)))
  await until(() => server.repository.find('slow').lane.length === asked.length, 'all wait')
  free()
  assert.is(server.pool.busy, 2)
  server.pool.kill()
  for (const [i, { status, json, text }] of (await replies).entries()) {
    assert.is(status, 200, text)
    assertNear(json.outputs[0].data, await expected(slow, asked[i], dims))
  }
  assert.is(await metric(server, 'cairn_thread_deaths_total'), 1)
  await until(() => server.pool.alive === 2, 'the thread is replaced')
  assert.is((await inferSlow(server, asked[0])).status, 200)
  await server.close()
})

test('models change under way, and no request is lost or answered by half of one', async () => {
  const [first, second, third] = [small, smallModel(random), smallModel(random)]
  const place = folderOf({ 'm/1/model.onnx': first, 'm/notes.txt': 'nothing' })
  const server = await start(place, { poll: 50 })
  const x = floats(random, 192)
  const [one, two, three] = await Promise.all([first, second, third].map(model => expected(model, x, [1, 3, 8, 8])))
  const seen = new Set<string>()
  let ended = false
  const client = async () => {
    while (!ended) {
      const { status, json, text } = await ask(`${server.url}/v2/models/m/infer`, {
        inputs: [inputOf('x', [1, 3, 8, 8], x)]
      })
      assert.is(status, 200, text)
      const which = [one, two, three].findIndex(y => json.outputs[0].data.every((v: number, i: number) => v === y[i]))
      seen.add(`${json.model_version}: ${which + 1}`)
    }
  }
  const clients = Promise.all([client(), client(), client()])
  await until(() => seen.has('1: 1'), 'the first answers')
  put(place, 'm/2/model.cairn', await compile(second))
  await until(() => seen.has('2: 2'), 'a second version answers')
  rmSync(join(place, 'm/1'), { recursive: true })
  put(place, 'm/2/model.cairn', await compile(third))
  await until(() => seen.has('2: 3'), 'another file of the same version answers')
  await until(() => server.repository.versionsOf('m').join() === '2', 'the first version is gone')
  // What cannot be loaded leaves what answers as it is, and says so.
  put(place, 'm/2/model.cairn', Buffer.from('CARN and no more'))
  const reason = () => server.repository.index(false).find(({ name }) => name === 'm')?.reason ?? ''
  await until(() => reason() !== '', 'the reason is in the index')
  assert.equal(
    server.repository.index(false).map(({ state }) => state),
    ['READY']
  )
  ended = true
  await clients
  assert.equal([...seen], ['1: 1', '2: 2', '2: 3'])
  await server.close()
})

test('models of requests are taken only where they are allowed, and within limits', async () => {
  const place = folderOf({ 'small.onnx': small })
  const file = { parameters: { 'file:7/model.onnx': Buffer.from(small).toString('base64') } }
  const closed = await start(place)
  const load = (server: ApiServer, name: string, body: object = {}) =>
    ask(`${server.url}/v2/repository/models/${name}/load`, body)
  assert.match((await load(closed, 'up', file)).json.error, /--uploads/)
  assert.is((await load(closed, 'none')).status, 404)
  await closed.close()
  const open = await start(place, { uploads: true, maxBody: 2 ** 23, maxWork: 1e6, maxMemory: 2 ** 24 })
  assert.equal((await load(open, 'up', file)).json, {})
  const x = floats(random, 192)
  const { json } = await ask(`${open.url}/v2/models/up/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] })
  assert.is(json.model_version, '7')
  assertNear(json.outputs[0].data, await expected(small, x, [1, 3, 8, 8]))
  const heavy = { parameters: { 'file:1/model.onnx': Buffer.from(slow).toString('base64') } }
  assert.equal((await load(open, 'heavy', heavy)).json, {})
  const ran = await ask(`${open.url}/v2/models/heavy/infer`, { inputs: [inputOf('x', dims, floats(random, 12288))] })
  assert.equal([ran.status, /steps/.test(ran.text)], [400, true], ran.text)
  for (const [parameters, message] of [
    [{ 'file:x/model.onnx': '' }, /file:VERSION/],
    [{ 'file:1/model.onnx': 7 }, /base64/],
    [{ 'file:1/model.onnx': 'AAAA' }, /up \(uploaded\)|file/],
    [{ config: '{}' }, /file:VERSION/]
  ] as const)
    assert.match((await load(open, 'up', { parameters })).json.error, message)
  assert.is((await load(open, '..%2fup', file)).status, 400)
  assert.is((await ask(`${open.url}/v2/models/up/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] })).status, 200)
  await ask(`${open.url}/v2/repository/models/up/unload`, {})
  const gone = await ask(`${open.url}/v2/models/up/infer`, { inputs: [inputOf('x', [1, 3, 8, 8], x)] })
  assert.is(gone.status, 503)
  await open.close()
})

test('uploaded models together take no more memory than is said, and few are taken at once', async () => {
  const place = folderOf({ 'small.onnx': small })
  const unlimited = await start(place)
  const each = unlimited.repository.find('small').memory / unlimited.pool.threads
  await unlimited.close()
  const server = await start(place, { uploads: true, maxMemory: Math.ceil(1.2 * each) })
  const files = new Map([['1', () => small]])
  // Each holds its file until those before it are loaded.
  const four = ['a', 'b', 'c', 'd'].map(name => server.repository.upload(name, files))
  assert.throws(() => server.repository.upload('e', files), /4 models are being loaded/)
  await Promise.all(four)
  await rejects(() => server.repository.upload('e', files), /uploaded models would need \d+ bytes/, ServingError)
  assert.throws(() => server.repository.find('e'), /no model "e"/)
  // In the place of one of its name there is room, and where one has gone.
  await server.repository.upload('a', files)
  await server.repository.unload('b')
  await server.repository.upload('e', files)
  assert.is(server.repository.index(true).length, 5)
  await server.close()
})

test('spans have the request’s parent, the model and the times', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  trace.setGlobalTracerProvider(provider)
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const server = await start(folderOf({ 'small.onnx': small }), { traces: true })
  const [parent, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const headers = { traceparent: `00-${parent}-${span}-01` }
  const body = { inputs: [inputOf('x', [1, 3, 8, 8], floats(random, 192))] }
  assert.is((await ask(`${server.url}/v2/models/small/infer`, body, { headers })).status, 200)
  assert.is((await ask(`${server.url}/v2/models/none/infer`, body, { headers })).status, 404)
  const [good, bad] = exporter.getFinishedSpans()
  assert.equal([good.name, good.spanContext().traceId, good.parentSpanContext?.spanId], ['infer small', parent, span])
  assert.equal([good.attributes['cairn.model'], good.attributes['cairn.version']], ['small', '1'])
  assert.ok(Number(good.attributes['cairn.compute_seconds']) > 0)
  assert.is(bad.status.code, SpanStatusCode.ERROR)
  await server.close()
})

test('a token is asked of everything but the health of the server; TLS with a certificate', async () => {
  const place = folderOf({ 'small.onnx': small })
  const tls = certificate(place)
  const server = await start(place, { token: 'secret', tls })
  assert.match(server.url, tls ? /^https:/ : /^http:/)
  const status = (path: string, headers: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) =>
      tls
        ? httpsRequest(`${server.url}${path}`, { headers, ca: tls.cert }, reply => resolve(reply.resume().statusCode!))
            .on('error', reject)
            .end()
        : resolve(ask(server.url + path, undefined, { headers }).then(reply => reply.status))
    )
  assert.is(await status('/v2/health/live'), 200)
  for (const path of ['/v2', '/metrics', '/docs', '/v2/models/small', '/nothing']) {
    assert.is(await status(path), 401, path)
    assert.is(await status(path, { authorization: 'Bearer other' }), 401, path)
    assert.is(await status(path, { authorization: 'Bearer secret' }), path === '/nothing' ? 404 : 200, path)
  }
  if (tls) {
    const client = new Client(`localhost:${server.grpcPort}`, credentials.createSsl(tls.cert))
    await new Promise<void>((resolve, reject) =>
      client.waitForReady(Date.now() + 60_000, error => (error ? reject(error) : resolve()))
    )
    client.close()
  }
  await server.close()
})

/** Made anew, where the machine has openssl. */
function certificate(folder: string): { cert: Buffer; key: Buffer } | undefined {
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => join(folder, name))
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  try {
    execFileSync('openssl', [...args, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  } catch {}
  if (!existsSync(cert)) {
    skip('TLS', 'this machine has no openssl to make a certificate with')
    return undefined
  }
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

test('the command says where it serves, ends in order, and names the packages that it misses', async () => {
  const args = [join(root, 'dist/cli/index.js'), 'serve', '--api', folderOf({ 'small.onnx': small })]
  const child = spawn(process.execPath, [...args, '--http', '0', '--grpc', '0', '--json', '--quiet', '--grace', '0'])
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  const first = await new Promise<string>(resolve => child.stdout.once('data', data => resolve(String(data))))
  const { url, grpc, models } = JSON.parse(first)
  assert.ok(grpc > 0)
  assert.equal(models, [{ name: 'small', version: '1', state: 'READY', reason: '' }])
  assert.is((await ask(`${url}/v2/health/ready`)).status, 200)
  child.kill('SIGTERM')
  assert.is(await ended, 0)
  await rejects(
    () => needPeers('serve --api', ['pino', 'cairn-has-no-such-package']),
    /serve --api needs cairn-has-no-such-package, .*"npm i cairn-has-no-such-package"/,
    InputError
  )
})

test('a model that was named and cannot be loaded ends the server, in a folder it is only said', async () => {
  const place = folderOf({ 'broken.onnx': small.subarray(0, small.length / 2), 'small.onnx': small })
  await rejects(
    () => start(join(place, 'broken.onnx')),
    /broken\.onnx: not an ONNX model, or a truncated one/,
    InputError
  )
  const server = await start(place)
  const states = server.repository.index(false).map(({ name, state }) => `${name} ${state}`)
  assert.equal(states, ['broken UNAVAILABLE', 'small READY'])
  await server.close()
})

test('at its end it is not ready first, then answers what it has, and only then goes', async () => {
  const server = await start(folderOf({ 'slow.onnx': slow }), { threads: 1, maxBatch: 1 })
  const x = floats(random, 12288)
  const free = held(server)
  const under = Array.from({ length: 4 }, () => inferSlow(server, x))
  await until(() => server.repository.find('slow').lane.length === 4, 'all wait')
  const closing = server.close(4000)
  const ready = await ask(`${server.url}/v2/health/ready`)
  assert.equal([ready.status, ready.headers.get('connection')], [503, 'close'])
  under.push(inferSlow(server, x))
  await until(() => server.repository.find('slow').lane.length === 5, 'who comes then waits as well')
  free()
  for (const { status, text } of await Promise.all(under)) assert.is(status, 200, text)
  await closing
  await inferSlow(server, x).then(
    () => assert.unreachable('it answers still'),
    error => assert.match(String(error.cause ?? error), /ECONNREFUSED/)
  )
})

test.run()
