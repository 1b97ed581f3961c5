import { parentPort, workerData } from 'node:worker_threads'
import { decodeHead, type Header } from '../../../runtime/file/index.js'
import { env, InferenceSession, Tensor } from '../../../runtime/index.js'
import type { Data } from '../../../runtime/tensor/index.js'
import type { Done, Fed, Pictures, Reply, Request, Tensors, Work } from './messages.js'

/** A thread of the server: a session of each model, on this one thread. Started by pool.ts. */
interface Model {
  readonly header: Header
  readonly session: InferenceSession
  readonly pictures: Pictures
}

Object.assign(env.wasm, workerData)

const models = new Map<number, Promise<Model>>()
const running = new Map<number, AbortController>()

async function open({ file, limits, pictures }: Extract<Request, { kind: 'open' }>): Promise<Model> {
  const header = decodeHead(file).header
  const session = await InferenceSession.create(file, { ...limits, executionProviders: ['wasm'], numThreads: 1 })
  return { header, session, pictures }
}

async function run({ session, header, pictures }: Model, work: Work, signal: AbortSignal): Promise<Done> {
  const began = performance.now()
  if (work.kind === 'tensors') {
    const results = await session.run(unpacked(work), work.fetches, { signal })
    return { milliseconds: performance.now() - began, tensors: packed(results) }
  }
  const { resultOf } = await import('./picture.js')
  const value = await resultOf(session, header, pictures, work, signal)
  return { milliseconds: performance.now() - began, value }
}

/** What was shared last. */
let shared = new SharedArrayBuffer(0)

const unpacked = ({ feeds, memory = shared }: Extract<Work, { kind: 'tensors' }>) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, fed]) => [name, new Tensor(fed.type, view(fed, memory), fed.dims)])
  )

/** The array that a tensor has. */
function view({ type, at, bytes }: Fed, memory: ArrayBufferLike): Data {
  const { data: one } = new Tensor(type, [], [0])
  const array = one.constructor as { new (memory: ArrayBufferLike, at: number, length: number): Data }
  return new array(memory, at, bytes / (one as Uint8Array).BYTES_PER_ELEMENT)
}

const packed = (results: Readonly<Record<string, Tensor>>): Tensors =>
  Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => {
      const { buffer, byteOffset, byteLength } = data
      const whole = byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
      return [
        name,
        { type, dims, data: whole ? buffer : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer) }
      ]
    })
  )

const refusal = (error: unknown) => {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return { name, message }
}

async function answer(request: Request): Promise<Reply | undefined> {
  if (request.kind === 'open') {
    const { model } = request
    try {
      const opened = open(request)
      models.set(model, opened)
      const { session, header } = await opened
      const independent = request.probe && (await (await import('./independent.js')).rowsDoNotMix(session, header))
      return { kind: 'opened', model, opened: { memory: session.memoryBytes, independent } }
    } catch (error) {
      models.delete(model)
      return { kind: 'refused', model, error: refusal(error) }
    }
  }
  if (request.kind === 'close') {
    const gone = models.get(request.model)
    models.delete(request.model)
    await (await gone?.catch(() => undefined))?.session.release()
    return undefined
  }
  if (request.kind === 'cancel') {
    running.get(request.job)?.abort()
    return undefined
  }
  const { job, work } = request
  // Whatever becomes of the job: it is not sent again.
  if (work.kind === 'tensors' && work.memory instanceof SharedArrayBuffer) shared = work.memory
  const control = new AbortController()
  running.set(job, control)
  try {
    const done = await run((await models.get(request.model))!, work, control.signal)
    return { kind: 'done', job, done }
  } catch (error) {
    return { kind: 'failed', job, error: refusal(error) }
  } finally {
    running.delete(job)
  }
}

parentPort!.on('message', async (request: Request) => {
  const reply = await answer(request)
  if (!reply) return
  const tensors = reply.kind === 'done' ? Object.values(reply.done.tensors ?? {}) : []
  parentPort!.postMessage(
    reply,
    tensors.map(({ data }) => data)
  )
})
