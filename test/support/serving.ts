// Servers of small models in this process, and what asks them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import type { ApiOptions } from '../../cli/serving/flags.js'
import { type ApiServer, startServer } from '../../cli/serving/server.js'
import { compile } from '../../compiler/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { tensorsOf } from './cairn.js'
import { type DType, ModelBuilder } from './onnx/model.js'
import type { Random } from './random.js'

export const defaults: ApiOptions = {
  ...{
    place: '',
    name: undefined,
    host: '127.0.0.1',
    http: 0,
    grpc: 0,
    threads: 2,
    queue: 128,
    maxBatch: 8,
    maxDelay: 0,
    maxConnections: 1000
  },
  ...{ maxRows: 64, maxBody: 2 ** 20, timeout: 30_000, grace: 0, poll: 0, uploads: false, traces: false, quiet: true },
  ...{ maxMemory: undefined, maxWork: undefined, token: undefined, tls: undefined }
}

const folders: string[] = []
process.once('exit', () => folders.forEach(folder => rmSync(folder, { recursive: true, force: true })))

/** A folder of files by their paths, gone behind the tests. */
export function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-serving-'))
  folders.push(folder)
  for (const [path, contents] of Object.entries(files)) put(folder, path, contents)
  return folder
}

export function put(folder: string, path: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), contents)
}

/** Lines of the log go to `lines`. */
export function start(place: string, options: Partial<ApiOptions> = {}, lines: string[] = []): Promise<ApiServer> {
  const log = pino({ level: 'info' }, { write: line => lines.push(line) })
  return startServer({ ...defaults, place, ...options }, '1.2.3', log)
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what a server answers is looked at, not trusted
  readonly json: any
  readonly bytes: Uint8Array
}

export async function ask(url: string, body?: string | Uint8Array | object, init: RequestInit = {}): Promise<Reply> {
  const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const given = plain ? body : JSON.stringify(body)
  const response = await fetch(url, { method: given === undefined ? 'GET' : 'POST', body: given as BodyInit, ...init })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = Buffer.from(bytes).toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {}
  return { status: response.status, headers: response.headers, text, json, bytes }
}

/** The JSON of an input. */
export const inputOf = (name: string, shape: readonly number[], data: ArrayLike<number>, datatype = 'FP32') => ({
  ...{ name, shape, datatype },
  data: Array.from(data)
})

/** A convolution and a fully connected layer: rows of 3×8×8 floats to 10, as many at once as one likes. */
export function smallModel(random: Random, batch: number | string = 'N'): Uint8Array {
  const m = new ModelBuilder(random)
  const x = m.input([batch, 3, 8, 8], 'float32', [-2, 2], 'x')
  const pooled = m.add('GlobalAveragePool', [m.add('Relu', [m.add('Conv', [x, m.weights([6, 3, 3, 3])])])])
  m.add('Gemm', [m.add('Flatten', [pooled]), m.weights([6, 10])])
  return named(m, 'y').encode()
}

/** Takes some tens of milliseconds. */
export function slowModel(random: Random, channels = 48): Uint8Array {
  const m = new ModelBuilder(random)
  let x = m.input(['N', 3, 64, 64], 'float32', [-1, 1], 'x')
  x = m.add('Conv', [x, m.weights([channels, 3, 7, 7])], { pads: [3, 3, 3, 3] })
  for (let i = 0; i < 3; i++) x = m.add('Conv', [x, m.weights([channels, channels, 7, 7])], { pads: [3, 3, 3, 3] })
  m.add('GlobalAveragePool', [x])
  return named(m, 'y').encode()
}

/** A softmax over the batch: rows are not what they are alone. */
export function mixingModel(random: Random): Uint8Array {
  const m = new ModelBuilder(random)
  m.add('Softmax', [m.input(['N', 4], 'float32', [-2, 2], 'x')], { axis: 0 })
  return named(m, 'y').encode()
}

/** Eight bits over the range of the whole batch: a row of large numbers takes the small ones their bits. */
export function rangeModel(random: Random): Uint8Array {
  const m = new ModelBuilder(random)
  const [rows, scale, zero] = m.addMany('DynamicQuantizeLinear', [m.input(['N', 40], 'float32', [-2, 2], 'x')], 3)
  m.add('DequantizeLinear', [rows, scale, zero])
  return named(m, 'y').encode()
}

/** Each input is given back as it came. */
export function echoModel(random: Random, types: readonly DType[]): Uint8Array {
  const m = new ModelBuilder(random)
  for (const type of types) {
    const x = m.input(['N', 3], type, [0, 1], `in_${type}`)
    m.add('Identity', [x])
    named(m, `out_${type}`)
  }
  return m.encode()
}

/** The model with its last node's output called `name`. */
function named(m: ModelBuilder, name: string): ModelBuilder {
  m.nodes.at(-1)!.output = [name]
  return m.output(name)
}

/** What a session gives for `feeds`: what a server has to say. */
export async function expected(model: Uint8Array, x: Float32Array, dims: readonly number[]): Promise<Float32Array> {
  const session = await sessionOf(model)
  const { y } = await session.run(tensorsOf({ x: { dtype: 'float32', dims: [...dims], data: x } }))
  return y.data as Float32Array
}

const sessions = new Map<Uint8Array, Promise<InferenceSession>>()

function sessionOf(model: Uint8Array): Promise<InferenceSession> {
  const known = sessions.get(model)
  if (known) return known
  const made = compile(model).then(file => InferenceSession.create(file))
  sessions.set(model, made)
  return made
}

export const floats = (random: Random, length: number) => Float32Array.from(random.values(length))

/** From here on no thread takes anything, until what is given back is called: requests wait for as long as a test likes. */
export function held({ pool }: ApiServer): () => void {
  pool.idle = () => undefined
  return () => {
    Reflect.deleteProperty(pool, 'idle')
    pool.emit('idle')
  }
}

/** Until `holds`, looked at often; how long that may take says nothing of what is tested. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  milliseconds = 60_000
): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not in ${milliseconds} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
