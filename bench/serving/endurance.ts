// Memory over many requests of a small model, and under what strangers do: idle connections, requests in drops, endless bodies,
// malformed messages. `npm run test:endurance -- [--requests 1000000] [--idle 10000] [--drops 1000] [--malformed 5000]
// [--gigabytes 10]`; `ulimit -n` must be above --idle.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { cli, ended, flag, residentOf, started, wait } from './servers.js'

const requests = flag('requests', 1_000_000)
const idle = flag('idle', 10_000)
const drops = flag('drops', 1000)
const malformed = flag('malformed', 5000)
const gigabytes = flag('gigabytes', 10)

const folder = mkdtempSync(join(tmpdir(), 'cairn-endurance-'))
writeFileSync(join(folder, 'm.cairn'), await compile(zoo.lenet5.build()))
const server = await started([
  cli,
  'serve',
  '--api',
  folder,
  '--http',
  '0',
  '--grpc',
  '0',
  '--quiet',
  '--json',
  '--grace',
  '0'
])
const { url, grpc } = JSON.parse(server.first)
const port = Number(new URL(url).port)
const data = Array.from({ length: 1024 }, (_, i) => (i % 255) / 255)
const metadata = await (await fetch(`${url}/v2/models/m`)).json()
const inputs = [{ name: metadata.inputs[0].name, shape: [1, 1, 32, 32], datatype: 'FP32', data }]
const body = JSON.stringify({ inputs })
const memory: [string, number][] = []
const note = (what: string) => {
  memory.push([what, Math.round(residentOf(server.child.pid!))])
  process.stderr.write(`${what}: ${memory.at(-1)![1]} MiB\n`)
}
const load = async (amount: number) => {
  const options = { url: `${url}/v2/models/m/infer`, method: 'POST', connections: 16, amount, body } as const
  const { non2xx, errors } = await autocannon(options)
  if (non2xx || errors) throw new Error(`${non2xx} refused, ${errors} failed`)
}
const opened = () =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject)
  })
const tally = (all: readonly (string | number)[]) => {
  const counts = new Map<string | number, number>()
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1)
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ')
}

/** Headers, or a body, of which a few bytes come each second: the status that it is given up with. */
async function dripped(isBody: boolean): Promise<string> {
  const socket = await opened()
  let text = ''
  socket.on('data', data => (text += data))
  const ended = new Promise(resolve => socket.once('close', resolve))
  socket.write(`POST /v2/models/m/infer HTTP/1.1\r\nhost: localhost\r\n${isBody ? 'content-length: 9999\r\n\r\n' : ''}`)
  const drip = setInterval(() => socket.writable && socket.write(isBody ? ' ' : 'a: b\r\n'), 1000)
  await ended
  clearInterval(drip)
  return text.slice(9, 12) || 'closed'
}

/** The status of a call of gRPC with `bytes` for its message. */
function called(session: ReturnType<typeof connectHttp2>, bytes: Buffer): Promise<number> {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/inference.GRPCInferenceService/ModelInfer' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' }
  })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return new Promise((resolve, reject) => {
    for (const event of ['response', 'trailers'] as const)
      stream.on(event, headers => headers['grpc-status'] !== undefined && resolve(Number(headers['grpc-status'])))
    stream.on('error', reject)
    stream.resume().end(Buffer.concat([head, bytes]))
  })
}

try {
  await load(Math.min(20_000, requests / 10))
  note('warm')
  for (let part = 1; part <= 10; part++) {
    await load(requests / 10)
    note(`${part * 10} % of ${requests} requests`)
  }
  const sockets: Socket[] = []
  while (sockets.length < idle) sockets.push(...(await Promise.all(Array.from({ length: 100 }, opened))))
  note(`${sockets.length} idle connections`)
  await load(1000)
  for (const socket of sockets) socket.destroy()

  const kinds = Array.from({ length: drops }, (_, i) => i % 2 === 0)
  note(`${drops} requests in drops: ${tally(await Promise.all(kinds.map(dripped)))}`)
  await load(1000)

  // Without a length: what comes is read until it is too much.
  let poured = 0
  const chunk = new Uint8Array(2 ** 20)
  const endless = new ReadableStream({
    pull(controller) {
      poured += chunk.length
      if (poured > gigabytes * 2 ** 30) controller.close()
      else controller.enqueue(chunk)
    }
  })
  const init = { method: 'POST', body: endless, duplex: 'half' } as RequestInit
  const large = await fetch(`${url}/v2/models/m/infer`, init).then(
    reply => reply.status,
    error => String(error.cause ?? error)
  )
  note(`a body of up to ${gigabytes} GB: ${large} after ${Math.round(poured / 2 ** 20)} MiB`)

  const statuses: number[] = []
  for (let i = 0; i < malformed; i++) {
    const bytes = Buffer.from(body)
    for (let n = 0; n < 1 + (i % 5); n++)
      bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256)
    const { status } = await fetch(`${url}/v2/models/m/infer`, { method: 'POST', body: bytes })
    statuses.push(status)
  }
  note(`${malformed} malformed requests: ${tally(statuses)}`)
  const session = connectHttp2(`http://127.0.0.1:${grpc}`)
  const codes: number[] = []
  while (codes.length < malformed) {
    const junk = Array.from({ length: 1 + Math.floor(Math.random() * 200) }, () => Math.floor(Math.random() * 256))
    codes.push(await called(session, Buffer.from(junk)))
  }
  session.destroy()
  note(`${malformed} malformed messages of gRPC: statuses ${tally(codes)}`)
  await load(1000)
  await wait(1000)
  note('after all')
  process.stdout.write(`${JSON.stringify({ memory })}\n`)
} finally {
  server.child.kill('SIGTERM')
  await ended(server)
  rmSync(folder, { recursive: true })
}
