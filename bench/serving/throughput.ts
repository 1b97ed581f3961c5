// How much of a bare session's throughput a server keeps, with 1 to 64 clients on loopback, requests sharing runs and not; the same
// over onnxruntime-node in the same code. What generates the load takes its share of the same cores, which is told, and counted out
// in the column "beside it". Servers are warm, and each figure is compared with bare sessions just before it.
// `npm run bench:serving -- [--seconds 20] [--warm 20] [--rounds 3] [--model F.onnx] [--clients 1,4,16,64]`
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
const warm = flag('warm', 20)
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
  /** Of what bare sessions did just before: machines change faster than rounds go by. */
  readonly ofBare: number
}

/** As many sessions as threads, each with the next run ready: what a server could give if it cost nothing. */
async function bare(): Promise<Figures> {
  const session = await ParallelSession.create(file, { workers: threads })
  const runs = async (seconds: number) => {
    const times: number[] = []
    const end = performance.now() + seconds * 1000
    const loop = async () => {
      while (performance.now() < end) {
        const start = performance.now()
        await session.run({ [name]: new Tensor('float32', data.slice(), dims) })
        times.push(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: threads * 2 }, loop))
    return times
  }
  await runs(1)
  const before = process.cpuUsage()
  const began = performance.now()
  const times = await runs(seconds)
  const perSecond = (times.length / (performance.now() - began)) * 1000
  const own = millisecondsOf(process.cpuUsage(before)) / times.length
  await session.release()
  times.sort((a, b) => a - b)
  const [p50, p99] = [times[times.length >> 1], times[Math.floor(times.length * 0.99)]]
  return { perSecond, p50, p99, own, generator: 0, share: 0, ofBare: 1 }
}

const millisecondsOf = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000

/** CPU time of another process in ms, by Linux's count of hundredths of a second. */
function cpuOf(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

async function load(server: Started, connections: number, duration: number): Promise<autocannon.Result> {
  const { url } = JSON.parse(server.first)
  const result = await autocannon({
    ...{ url: `${url}/v2/models/m/infer`, method: 'POST', connections, duration, body, timeout: 60 },
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
  })
  if (result.non2xx || result.errors) throw new Error(`${result.non2xx} refused, ${result.errors} failed`)
  return result
}

async function served(server: Started, connections: number, bareRate: number): Promise<Figures> {
  const [before, began] = [process.cpuUsage(), cpuOf(server.child.pid!)]
  const result = await load(server, connections, seconds)
  const [own, generator] = [cpuOf(server.child.pid!) - began, millisecondsOf(process.cpuUsage(before))]
  const answered = result['2xx']
  return {
    ...{ perSecond: answered / result.duration, p50: result.latency.p50, p99: result.latency.p99 },
    ofBare: answered / result.duration / bareRate,
    ...{ own: own / answered, generator: generator / answered },
    share: generator / (result.duration * 1000 * availableParallelism())
  }
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
for (const [kind, start] of Object.entries(kinds)) {
  const server = await start()
  await load(server, 16, warm)
  for (let round = 0; round < rounds; round++)
    for (const count of clients) {
      const before = await bare()
      keep('bare', before)
      keep(`${kind}|${count}`, await served(server, count, before.perSecond))
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
process.stdout.write(`${threads} threads, ${rounds} rounds of ${seconds} s, medians; ${process.version}\n`)
rmSync(folder, { recursive: true })
