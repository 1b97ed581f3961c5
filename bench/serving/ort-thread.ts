// A thread of the server with onnxruntime-node in the place of Cairn, for comparisons: the same messages, the same queue. The
// model is the file that CAIRN_BENCH_ONNX names, because a .cairn file is none to it.
import { parentPort } from 'node:worker_threads'
import * as ort from 'onnxruntime-node'
import type { Reply, Request, Tensors } from '../../cli/serving/pool/index.js'
import { Tensor, type Type } from '../../runtime/index.js'

let shared = new SharedArrayBuffer(0)
let session: Promise<ort.InferenceSession> | undefined

const open = () =>
  ort.InferenceSession.create(process.env.CAIRN_BENCH_ONNX!, { intraOpNumThreads: 1, interOpNumThreads: 1 })

/** A copy of its own: onnxruntime takes no memory that is shared. */
function arrayOf(type: Type, memory: ArrayBufferLike, at: number, bytes: number): ort.Tensor['data'] {
  const { data: one } = new Tensor(type, [], [0])
  return new (one.constructor as new (memory: ArrayBuffer) => never)(new Uint8Array(memory, at, bytes).slice().buffer)
}

async function answer(request: Request): Promise<Reply | undefined> {
  if (request.kind === 'open') {
    session ??= open()
    await session
    return { kind: 'opened', model: request.model, opened: { memory: 0, independent: request.probe } }
  }
  if (request.kind !== 'run' || request.work.kind !== 'tensors') return undefined
  const began = performance.now()
  const { feeds: given, memory = shared } = request.work
  if (memory instanceof SharedArrayBuffer) shared = memory
  const feeds = Object.entries(given).map(([name, { type, dims, at, bytes }]) => [
    name,
    new ort.Tensor(type as 'float32', arrayOf(type, memory, at, bytes) as Float32Array, dims)
  ])
  const results = await (await session!).run(Object.fromEntries(feeds))
  const tensors: Tensors = Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => {
      const own = (data as Float32Array).slice()
      return [name, { type: type as Type, dims, data: own.buffer as ArrayBuffer }]
    })
  )
  return { kind: 'done', job: request.job, done: { milliseconds: performance.now() - began, tensors } }
}

parentPort!.on('message', async (request: Request) => {
  const reply = await answer(request)
  if (reply) parentPort!.postMessage(reply)
})
