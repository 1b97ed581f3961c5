// How much of a bare session's throughput a server keeps, with 1 to 64 clients on loopback, requests sharing runs and not; the same
// over onnxruntime-node in the same code. `npm run bench:serving -- [--seconds 20] [--rounds 3] [--model F.onnx] [--clients 1,4,16,64]`
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { median } from '../../cli/measure/index.js'
import { table } from '../../cli/terminal/index.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, ParallelSession, Tensor } from '../../runtime/index.js'
import { cli, ended, flag, root, type Started, started } from './servers.js'

const seconds = flag('seconds', 20)
const rounds = flag('rounds', 3)
const threads = flag('threads', availableParallelism())
const text = (name: string, usual: string) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? usual : process.argv[at + 1]
}
const clients = text('clients', '1,4,16,64').split(',').map(Number)

const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'))
const given = text('model', '')
const onnx = given ? new Uint8Array(readFileSync(given)) : zoo['mobilenet-v2'].build()
const file = await compile(onnx)
writeFileSync(join(folder, 'm.onnx'), onnx)
writeFileSync(join(folder, 'm.cairn'), file)

const probe = await InferenceSession.create(file, { numThreads: 1 })
const [{ name, shape }] = probe.inputMetadata
const dims = shape.map(size => (typeof size === 'number' ? size : 1))
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i))
await probe.release()

const tensor = { name, shape: dims, datatype: 'FP32', parameters: { binary_data_size: data.byteLength } }
const head = Buffer.from(JSON.stringify({ inputs: [tensor], parameters: { binary_data_output: true } }))
const body = Buffer.concat([head, new Uint8Array(data.buffer)])

interface Figures {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** As many sessions as threads, each with the next run ready: what a server could give if it cost nothing. */
async function bare(): Promise<Figures> {
  const session = await ParallelSession.create(file, { workers: threads })
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  const began = performance.now()
  const loop = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      await session.run({ [name]: new Tensor('float32', data.slice(), dims) })
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: threads * 2 }, loop))
  const perSecond = (times.length / (performance.now() - began)) * 1000
  await session.release()
  times.sort((a, b) => a - b)
  return { perSecond, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }
}

async function served(server: Started, connections: number): Promise<Figures> {
  const { url } = JSON.parse(server.first)
  const result = await autocannon({
    ...{ url: `${url}/v2/models/m/infer`, method: 'POST', connections, duration: seconds, body, timeout: 60 },
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
  })
  if (result.non2xx || result.errors) throw new Error(`${result.non2xx} refused, ${result.errors} failed`)
  return { perSecond: result['2xx'] / result.duration, p50: result.latency.p50, p99: result.latency.p99 }
}

const usual = ['--http', '0', '--threads', String(threads), '--queue', '256', '--poll', '0', '--quiet', '--grace', '0']
const kinds: Readonly<Record<string, () => Promise<Started>>> = {
  cairn: () => started([cli, 'serve', '--api', join(folder, 'm.cairn'), '--no-grpc', '--json', ...usual]),
  'cairn, unshared': () =>
    started([cli, 'serve', '--api', join(folder, 'm.cairn'), '--no-grpc', '--json', ...usual, '--max-batch', '1']),
  'onnxruntime-node': () =>
    started([join(root, 'dist/bench/serving/ort-server.js'), '--api', join(folder, 'm.cairn'), ...usual], {
      CAIRN_BENCH_ONNX: join(folder, 'm.onnx')
    })
}

const figures = new Map<string, Figures[]>()
const keep = (key: string, one: Figures) => {
  figures.set(key, [...(figures.get(key) ?? []), one])
  console.error(`${key.replace('|', ', clients: ')}: ${one.perSecond.toFixed(1)} a second`)
}
for (let round = 0; round < rounds; round++) {
  keep('bare', await bare())
  for (const [kind, start] of Object.entries(kinds)) {
    const server = await start()
    for (const count of clients) keep(`${kind}|${count}`, await served(server, count))
    server.child.kill('SIGTERM')
    await ended(server)
  }
}

const middle = (key: string, of: keyof Figures) => median(figures.get(key)!.map(each => each[of]))
const best = middle('bare', 'perSecond')
const rows = [...figures.keys()].map(key => {
  const [kind, count = ''] = key.split('|')
  const rate = middle(key, 'perSecond')
  const numbers = [
    rate.toFixed(1),
    (rate / best).toFixed(3),
    middle(key, 'p50').toFixed(1),
    middle(key, 'p99').toFixed(1)
  ]
  return [kind, count, ...numbers]
})
const header = ['server', 'clients', 'a second', 'of bare', 'p50 ms', 'p99 ms']
process.stdout.write(`${table(header, rows, ['left', 'right', 'right', 'right', 'right', 'right'])}\n`)
process.stdout.write(`${threads} threads, ${rounds} rounds of ${seconds} s, medians; ${process.version}\n`)
rmSync(folder, { recursive: true })
