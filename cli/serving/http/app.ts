import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Engine } from '../engine/index.js'
import {
  type Budget,
  invalid,
  type Pieces,
  parseJson,
  readInference,
  ServingError,
  servingError,
  writeAnswer
} from '../protocol/index.js'
import { type Body, readBody } from './bodies.js'
import { docsPage } from './docs-page.js'
import { refuseForeign } from './foreign.js'
import { openApi } from './openapi.js'
import { pictureQuery } from './picture-query.js'

export interface HttpOptions {
  readonly log: Logger
  /** Whether only this machine is served. */
  readonly isLocal: boolean
  /** Asked of every request but those after the server's health. */
  readonly token?: string
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Bytes of one body. */
  readonly maxBody: number
  /** Of all bodies under way. */
  readonly budget: Budget
  /** Milliseconds in which a request must have come whole. */
  readonly requestTimeout: number
  /** Open at once at each address of the host. */
  readonly maxConnections: number
  /** The protocol's messages of gRPC, as text. */
  readonly proto: string
}

type Params = { readonly name: string; readonly version?: string }

/** The REST side: the Open Inference Protocol, pictures for people, metrics and a page that describes it all. */
export async function httpApp(engine: Engine, options: HttpOptions): Promise<FastifyInstance> {
  const { default: fastify, LogController } = await import('fastify')
  const { log, tls, requestTimeout } = options
  // Headers come within the time of the whole request, and as fast as any client sends them.
  const timeouts = { headersTimeout: Math.min(10_000, requestTimeout), connectionsCheckingInterval: 1000 }
  const app = fastify({
    loggerInstance: log as never,
    logController: new LogController({ disableRequestLogging: true }),
    // Nothing of ours writes through a logger of a request's own.
    childLoggerFactory: (logger: unknown) => logger,
    // Every address of a name has a server of its own, and all of them have the limits.
    serverFactory: (listener: RequestListener) => {
      const server = tls ? createSecureServer({ ...tls, ...timeouts }, listener) : createServer(timeouts, listener)
      // Longer than any model takes to be loaded; who does not read an answer is let go.
      server.setTimeout(900_000)
      return Object.assign(server, { requestTimeout, keepAliveTimeout: 60_000, maxConnections: options.maxConnections })
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true },
    clientErrorHandler: refuseRaw,
    // What is said of the address; the server above has it already.
    ...(tls ? { https: tls } : {})
  } as object) as FastifyInstance

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async (request: FastifyRequest, message: IncomingMessage) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw new ServingError('unsupported', `content-encoding ${encoding}; none is allowed`)
    return readBody(message, options.maxBody, options.budget)
  })
  const authorised = authoriser(options.token)
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => (request.body as Body | undefined)?.release())
    if (request.url.startsWith('/v2/health/')) return
    // Without a token, all that keeps pages of other sites from asking is what their browser says.
    if (options.token === undefined) refuseForeign(request, options.isLocal)
    if (!authorised(request.headers.authorization))
      throw new ServingError(
        'unauthenticated',
        'the header "authorization: Bearer TOKEN" with the server’s token is needed'
      )
  })
  app.addHook('onSend', async (_, reply) => {
    if (engine.isEnding) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, id } = request
    const seen = {
      id,
      method,
      route: routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10
    }
    engine.metrics.responded(reply.statusCode)
    log.info(seen, 'answered')
  })
  app.setErrorHandler((error, _, reply) => refuse(error, reply, log))
  app.setNotFoundHandler((request, reply) =>
    refuse(
      new ServingError('missing', `no ${request.method} ${request.url.slice(0, 100)}; GET /docs lists all`),
      reply,
      log
    )
  )
  routes(app, engine, options)
  return app
}

function routes(app: FastifyInstance, engine: Engine, { proto }: HttpOptions): void {
  app.get('/v2/health/live', async () => ({ live: true }))
  app.get('/v2/health/ready', async (_, reply) => {
    const ready = engine.isReady
    return reply.status(ready ? 200 : 503).send({ ready })
  })
  app.get('/v2', async () => engine.server())
  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<{ Params: Params }>(path, async ({ params }) => engine.model(params.name, params.version))
    app.get<{ Params: Params }>(`${path}/ready`, async ({ params }, reply) => {
      const ready = engine.isModelReady(params.name, params.version)
      return reply.status(ready ? 200 : 503).send({ name: params.name, ready })
    })
    app.post<{ Params: Params }>(`${path}/infer`, async (request, reply) => {
      const asked = readInference(bytesOf(request), headedOf(request))
      const { name, version } = request.params
      const caller = { protocol: 'http', carrier: request.headers, signal: gone(reply) } as const
      const answer = await engine.infer(name, version, asked, caller)
      const { body, headed } = writeAnswer(answer, asked)
      if (headed !== undefined) reply.header('inference-header-content-length', headed)
      return reply.type(headed === undefined ? 'application/json' : 'application/octet-stream').send(body)
    })
  }
  app.post('/v2/repository/index', async request => {
    const { ready } = optional(request)
    if (ready !== undefined && typeof ready !== 'boolean') throw invalid('"ready" is true or false')
    return engine.repository.index(ready ?? false)
  })
  app.post<{ Params: Params }>('/v2/repository/models/:name/load', async request => {
    const { parameters = {} } = optional(request)
    if (typeof parameters !== 'object' || parameters === null) throw invalid('"parameters" is an object')
    await engine.load(request.params.name, parameters as Record<string, unknown>)
    return {}
  })
  app.post<{ Params: Params }>('/v2/repository/models/:name/unload', async request => {
    optional(request)
    await engine.repository.unload(request.params.name)
    return {}
  })
  for (const path of ['/classify/:name', '/classify/:name/versions/:version'])
    app.post<{ Params: Params; Querystring: Record<string, unknown> }>(path, async (request, reply) => {
      const asked = pictureQuery(request.query)
      const { name, version } = request.params
      const caller = { protocol: 'picture', carrier: request.headers, signal: gone(reply) } as const
      return engine.classify(name, version, bytesOf(request).whole(), asked, caller)
    })
  app.get('/metrics', async (_, reply) => reply.type(engine.metrics.contentType).send(await engine.metrics.text()))
  app.get('/openapi.json', async () => openApi(engine.server().version))
  app.get('/docs', async (_, reply) => reply.type('text/html').send(docsPage(openApi(engine.server().version))))
  app.get('/docs/inference.proto', async (_, reply) => reply.type('text/plain').send(proto))
}

function bytesOf(request: FastifyRequest): Pieces {
  const { bytes } = (request.body as Body | undefined) ?? {}
  if (!bytes?.length) throw invalid('the request has no body')
  return bytes
}

/** A body that may be missing. */
function optional(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { bytes } = (request.body as Body | undefined) ?? {}
  return bytes?.length ? parseJson(bytes.whole(), 'the request') : {}
}

function headedOf({ headers }: FastifyRequest): number | undefined {
  const text = headers['inference-header-content-length']
  if (text === undefined) return undefined
  if (!/^\d{1,12}$/.test(String(text))) throw invalid('Inference-Header-Content-Length is a whole number of bytes')
  return Number(text)
}

/** Is given when the client goes before it has its answer. */
function gone({ raw }: FastifyReply): AbortSignal {
  const control = new AbortController()
  raw.once('close', () => raw.writableFinished || control.abort())
  return control.signal
}

/** Compares digests, in a time that tells nothing of the token. */
export function authoriser(token: string | undefined): (header: string | undefined) => boolean {
  if (token === undefined) return () => true
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${token}`)
  return header => header !== undefined && timingSafeEqual(digest(header), wanted)
}

function refuse(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  const known = servingError(error)
  const { status, fault, message, retryAfter } = known
  if (fault === 'internal') log.error({ err: { message, stack: (error as Error).stack } }, 'a request has failed')
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (fault === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  // What is left of a body that was not read is never read.
  if (!reply.request.raw.complete) reply.header('connection', 'close')
  return reply.status(status).send({ error: message })
}

/** What is not even HTTP, or does not come in time, is refused before there is a request. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, what] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'the request has not come in time']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'the headers are too large']
        : ['400 Bad Request', 'this is no HTTP request']
  const body = JSON.stringify({ error: what })
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
  if (socket.writable) socket.end(`${head}\r\n\r\n${body}`, () => socket.destroySoon())
  else socket.destroy()
}
