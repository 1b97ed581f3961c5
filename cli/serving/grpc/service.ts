import type { handleUnaryCall, Metadata, Server, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import type { Engine } from '../engine/index.js'
import { type Budget, servingError } from '../protocol/index.js'
import type { Carrier } from '../telemetry/index.js'
import { chosenOf, type InferRequest, type Parameters, readRequest, writeResponse } from './convert.js'
import { doorOf } from './door.js'
import { type Listener, listen } from './listen.js'
import { measured } from './measure.js'

export interface GrpcOptions {
  readonly log: Logger
  /** Whether a header `authorization` is the right one. */
  readonly authorised: (header: string | undefined) => boolean
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Open at once; more are closed as they come. */
  readonly maxConnections: number
  /** Bytes of one message. */
  readonly maxBody: number
  /** Of all bodies and messages under way. */
  readonly budget: Budget
  /** Milliseconds in which a message must have come whole. */
  readonly timeout: number
  /** Where schema/inference.proto is. */
  readonly proto: string
}

type Call<Request> = ServerUnaryCall<Request, unknown>

/** The gRPC side of the Open Inference Protocol, bound to an address. */
export async function grpcServer(engine: Engine, host: string, port: number, options: GrpcOptions) {
  const grpc = await import('@grpc/grpc-js')
  const { loadSync } = await import('@grpc/proto-loader')
  const definition = loadSync(options.proto, { keepCase: true, longs: String, defaults: true, oneofs: true })
  const definitions = definition['inference.GRPCInferenceService'] as ServiceDefinition
  const seen = measured(definitions)
  const isOpen = (path: string, metadata: Metadata) =>
    /\/Server(?:Live|Ready)$/.test(path) || options.authorised(metadata.get('authorization').at(0)?.toString())
  const server = new grpc.Server({
    interceptors: [doorOf(grpc, isOpen, options)],
    'grpc.max_receive_message_length': options.maxBody,
    'grpc.max_send_message_length': -1,
    // Of one connection; the door bounds what is read of them all at once, the budget what is held.
    'grpc.max_concurrent_streams': 128,
    'grpc.max_connection_idle_ms': 300_000
  })

  /** One call: its memory, the answer or the error, and a line in the log without what was sent. */
  function unary<Request, Response>(
    name: string,
    answer: (request: Request, call: Call<Request>) => Response | Promise<Response>
  ): handleUnaryCall<Request, Response> {
    return async (call, callback) => {
      const began = performance.now()
      let status: number = grpc.status.OK
      const { bytes = 0, refusal } = seen.get(call.request as object) ?? {}
      let held = 0
      try {
        options.budget.take(bytes)
        held = bytes
        if (refusal) throw refusal
        callback(null, await answer(call.request, call))
      } catch (error) {
        const { code, fault, message, retryAfter } = servingError(error)
        status = code
        if (fault === 'internal')
          options.log.error({ err: { message, stack: (error as Error).stack } }, 'a call has failed')
        const metadata = new grpc.Metadata()
        if (retryAfter !== undefined) metadata.set('retry-after', String(retryAfter))
        callback({ code, details: message, metadata })
      } finally {
        options.budget.give(held)
      }
      options.log.info({ call: name, status, ms: Math.round((performance.now() - began) * 10) / 10 }, 'answered')
    }
  }

  type Named = { readonly name: string; readonly version: string }
  type Load = { readonly model_name: string; readonly parameters: Parameters }
  const calls = {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: engine.isReady }),
    ModelReady: ({ name, version }: Named) => ({ ready: engine.isModelReady(name, version) }),
    ServerMetadata: () => engine.server(),
    ModelMetadata: ({ name, version }: Named) => engine.model(name, version),
    async ModelInfer(request: InferRequest, call: Call<InferRequest>) {
      const asked = readRequest(request)
      const left = millisecondsLeft(call.getDeadline())
      const timeout = left === undefined ? asked.timeout : Math.min(left, asked.timeout ?? left)
      const caller = { protocol: 'grpc', carrier: call.metadata.getMap() as Carrier, signal: gone(call) } as const
      const { model_name: name, model_version: version } = request
      return writeResponse(await engine.infer(name, version, { ...asked, timeout }, caller), request)
    },
    RepositoryIndex: ({ ready }: { readonly ready: boolean }) => ({ models: engine.repository.index(ready) }),
    async RepositoryModelLoad({ model_name: name, parameters }: Load) {
      await engine.load(
        name,
        Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, chosenOf(value)]))
      )
      return {}
    },
    async RepositoryModelUnload({ model_name: name }: Load) {
      await engine.repository.unload(name)
      return {}
    }
  }
  server.addService(
    definitions,
    Object.fromEntries(Object.entries(calls).map(([name, answer]) => [name, unary(name, answer as never)]))
  )
  const { tls } = options
  const credentials = tls
    ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
    : grpc.ServerCredentials.createInsecure()
  const injector = server.createConnectionInjector(credentials)
  const listener = await listen(host, port, options.maxConnections, socket => injector.injectConnection(socket))
  return { port: listener.port, close: (patience: number) => closed(server, listener, patience) }
}

/** Behind the calls under way, or `patience` milliseconds. */
function closed(server: Server, listener: Listener, patience: number): Promise<void> {
  listener.close()
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, patience)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function millisecondsLeft(deadline: Date | number): number | undefined {
  const left = Number(deadline) - Date.now()
  return Number.isFinite(left) ? Math.max(0, left) : undefined
}

function gone(call: Call<unknown>): AbortSignal {
  const control = new AbortController()
  if (call.cancelled) control.abort()
  call.on('cancelled', () => control.abort())
  return control.signal
}
