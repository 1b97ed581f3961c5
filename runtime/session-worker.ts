import { registerBackend } from './backend/index.js'
import { env } from './base/index.js'
import { listen, wasmBackend } from './cpu/index.js'
import { buffersOf, type Parcels, pack, type Reply, type Request, unpack } from './session/parcel.js'
import { InferenceSession } from './session/session.js'

/**
 * A worker of a parallel session: a session of its own, on one thread. The build makes one file of it and all that it imports,
 * which is the CPU path alone: not the door of the session's room, behind which is WebGPU too.
 */
let session: Promise<InferenceSession> | undefined

async function perform(request: Request): Promise<Parcels> {
  if (request.kind === 'open') {
    registerBackend(wasmBackend)
    env.wasm.wasmPaths = request.module
    const { file, limits } = request
    session = InferenceSession.create(file, { ...limits, executionProviders: ['wasm'], numThreads: 1 })
    await session
    return {}
  }
  const results = await (await session!).run(unpack(request.feeds), request.fetches)
  return pack(results)
}

let last: Promise<unknown> = Promise.resolve()

listen((message, answer) => {
  last = last.then(async () => {
    try {
      const results = await perform(message as Request)
      answer({ results } satisfies Reply, buffersOf(results))
    } catch (error) {
      answer({ error: (error as Error).message } satisfies Reply)
    }
  })
})
