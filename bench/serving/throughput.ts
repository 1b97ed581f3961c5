// How much of a bare session's throughput a server keeps, with 1 to 64 clients on loopback, requests sharing runs and not; the same
// over onnxruntime-node in the same code. What generates the load takes its share of the same cores, which is told, and counted out
// in the column "beside it". Servers and sessions are warm, and each figure is compared with bare sessions just before and just
// behind it, because a shared machine changes by a tenth within a minute: many short rounds say more than a few long ones.
// `npm run bench:serving -- [--seconds 4] [--warm 60] [--rounds 15] [--model F.onnx] [--clients 1,4,16,64] [--servers cairn]`
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../../cli/measure/index.js'
import { table } from '../../cli/terminal/index.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, ParallelSession, Tensor } from '../../runtime/index.js'
import { cpuOf, generate, hasWrk, type Latencies, millisecondsOf } from './generators.js'
import { cli, ended, flag, root, type Started, started, wait } from './servers.js'

const seconds = flag('seconds', 4)
const rounds = flag('rounds', 15)
const warm = flag('warm', 60)
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
  /** CPU time in ms: of the server for a request, or of a bare run, and of what generates the load. */
  readonly own: number
  readonly generator: number
  /** Of all cores' time, what generated the load has taken so much. */
  readonly share: number
  /** Of what bare sessions did just before and just behind. */
  readonly ofBare: number
}

const bareSessions = await ParallelSession.create(file, { workers: threads })

/** As many sessions as threads, each with the next runs ready: what a server could give if it cost nothing. */
async function bare(): Promise<Figures> {
  const times: number[] = []
  const [before, began] = [process.cpuUsage(), performance.now()]
  const loop = async () => {
    while (performance.now() < began + seconds * 1000) {
      const start = performance.now()
      await bareSessions.run({ [name]: new Tensor('float32', data.slice(), dims) })
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: threads * 4 }, loop))
  const perSecond = (times.length / (performance.now() - began)) * 1000
  const own = millisecondsOf(process.cpuUsage(before)) / times.length
  times.sort((a, b) => a - b)
  const [p50, p99] = [times[times.length >> 1], times[Math.floor(times.length * 0.99)]]
  return { perSecond, p50, p99, own, generator: 0, share: 0, ofBare: 1 }
}

/** Seconds of load before and behind what is measured: neither the first answers nor what is under way at the end count. */
const [ramp, tail] = [2.5, 1.5]

/** Answers that a server says it has given. */
async function answeredBy(url: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).matchAll(
    /^cairn_requests_total{[^}]*code="ok"[^}]*} ([0-9.e+]+)$/gm
  )
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Loads a server for so many seconds, rounded up, and calls `during` meanwhile, with where it is and what the load has cost so far. */
async function load(
  server: Started,
  connections: number,
  duration: number,
  during?: (url: string, cpu: () => number) => Promise<void>
): Promise<Latencies> {
  const { url } = JSON.parse(server.first)
  const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
  const request = { url: `${url}/v2/models/m/infer`, headers, body }
  const { cpu, ended } = generate(request, connections, Math.ceil(duration), folder)
  await Promise.all([ended, during?.(url, cpu)])
  return await ended
}

async function served(server: Started, connections: number): Promise<Omit<Figures, 'ofBare'>> {
  const now = async (url: string, cpu: () => number) => ({
    answered: await answeredBy(url),
    own: cpuOf(server.child.pid!),
    generator: cpu(),
    time: performance.now()
  })
  let span = { answered: 0, own: 0, generator: 0, time: 0 }
  const latency = await load(server, connections, seconds + ramp + tail, async (url, cpu) => {
    await wait(ramp * 1000)
    const before = await now(url, cpu)
    await wait(seconds * 1000)
    const after = await now(url, cpu)
    const since = (of: keyof typeof span) => after[of] - before[of]
    span = { answered: since('answered'), own: since('own'), generator: since('generator'), time: since('time') }
  })
  const perSecond = (1000 * span.answered) / span.time
  return {
    ...{ perSecond, ...latency },
    ...{ own: span.own / span.answered, generator: span.generator / span.answered },
    share: span.generator / (span.time * availableParallelism())
  }
}

const usual = ['--http', '0', '--threads', String(threads), '--queue', '256', '--poll', '0', '--quiet', '--grace', '0']
const kinds: Readonly<Record<string, () => Promise<Started>>> = {
  cairn: () => started([cli, 'serve', '--api', join(folder, 'm.cairn'), '--no-grpc', '--json', ...usual]),
  'cairn unshared': () =>
    started([cli, 'serve', '--api', join(folder, 'm.cairn'), '--no-grpc', '--json', ...usual, '--max-batch', '1']),
  'onnxruntime-node': () =>
    started([join(root, 'dist/bench/serving/ort-server.js'), '--api', join(folder, 'm.cairn'), ...usual], {
      CAIRN_BENCH_ONNX: join(folder, 'm.onnx')
    })
}

const servers = text('servers', Object.keys(kinds).join()).split(',')
const figures = new Map<string, Figures[]>()
const keep = (key: string, one: Figures) => {
  figures.set(key, [...(figures.get(key) ?? []), one])
  console.error(`${key.replace('|', ', clients: ')}: ${one.perSecond.toFixed(1)} a second`)
}
for (const [kind, start] of Object.entries(kinds)) {
  if (!servers.includes(kind)) continue
  const server = await start()
  await load(server, 16, warm)
  await bare()
  let before = await bare()
  for (let round = 0; round < rounds; round++)
    for (const count of clients) {
      const figure = await served(server, count)
      const behind = await bare()
      keep(`${kind}|${count}`, { ...figure, ofBare: (2 * figure.perSecond) / (before.perSecond + behind.perSecond) })
      keep('bare', behind)
      before = behind
    }
  server.child.kill('SIGTERM')
  await ended(server)
}

const middle = (key: string, of: keyof Figures) => median(figures.get(key)!.map(each => each[of]))
const rows = [...figures.keys()].map(key => {
  const [kind, count = ''] = key.split('|')
  const ofBare = middle(key, 'ofBare')
  const numbers = [
    middle(key, 'perSecond').toFixed(1),
    ofBare.toFixed(3),
    (ofBare / (1 - middle(key, 'share'))).toFixed(3),
    ...(['p50', 'p99', 'own', 'generator'] as const).map(of => middle(key, of).toFixed(1)),
    (100 * middle(key, 'share')).toFixed(1)
  ]
  return [kind, count, ...numbers]
})
const header = [
  'server',
  'clients',
  'a second',
  'of bare',
  'beside it',
  'p50 ms',
  'p99 ms',
  'CPU ms',
  'load’s',
  'load’s %'
]
process.stdout.write(`${table(header, rows, ['left', ...header.slice(1).map(() => 'right' as const)])}\n`)
process.stdout.write(
  'CPU ms: the server’s for a request. The load is generated on the same cores, and takes "load’s" ms of CPU for a request;\n' +
    '"beside it" compares with what bare sessions would do in the time that the load leaves them.\n'
)
process.stdout.write(
  `${threads} threads, ${rounds} rounds of ${seconds} s, medians; load by ${hasWrk ? 'wrk' : 'autocannon'}; ${process.version}\n`
)
await bareSessions.release()
rmSync(folder, { recursive: true })
