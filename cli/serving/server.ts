import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { about } from '../model/index.js'
import { InputError } from '../terminal/index.js'
import { Engine } from './engine/index.js'
import type { ApiOptions } from './flags.js'
import { grpcServer } from './grpc/index.js'
import { authoriser, httpApp } from './http/index.js'
import { Repository, scan } from './models/index.js'
import { Pool } from './pool/index.js'
import { Budget } from './protocol/index.js'
import { metricsOf, noTraces, tracesOf } from './telemetry/index.js'

export interface ApiServer {
  readonly url: string
  readonly grpcPort: number | undefined
  readonly pool: Pool
  readonly repository: Repository
  /** Not ready for `grace` milliseconds, then answers what it has and ends. */
  close(grace?: number): Promise<void>
}

const proto = fileURLToPath(new URL('../../schema/inference.proto', import.meta.url))

/** Starts everything: threads, models, HTTP, gRPC. It answers, not ready, while models are loaded. */
export async function startServer(
  options: ApiOptions,
  version: string,
  log?: Logger,
  script?: URL
): Promise<ApiServer> {
  // What cannot be served is said before anything is begun.
  if (!scan(options.place, options.name).length)
    throw new InputError(`${options.place}: no models; NAME/VERSION/model.onnx, model.cairn and NAME.onnx are allowed`)
  const logger = log ?? (await usualLog(options.quiet))
  const pool = new Pool(options.threads, script)
  try {
    return await serverOf(pool, logger, options, version)
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function serverOf(pool: Pool, logger: Logger, options: ApiOptions, version: string): Promise<ApiServer> {
  const { place, name, queue, maxBatch, maxDelay, maxMemory, maxWork, uploads, poll } = options
  // HTTP and gRPC share it.
  const budget = new Budget(options.maxBody * 8)
  const metrics = await metricsOf(pool, budget)
  const limits = { maxMemory, maxWork }
  const repository = new Repository(
    pool,
    { place, name, queue, maxBatch, maxDelay, limits, uploads, poll },
    metrics.watch
  )
  pool.on('died', why => logger.error({ why }, 'a thread has died and is replaced'))
  repository.on('loaded', ({ name, version, memory, isBatched }) => {
    metrics.memory(name, version, memory)
    logger.info({ model: name, version, memory, batched: isBatched }, 'a model is loaded')
  })
  repository.on('unloaded', ({ name, version }) => {
    if (!repository.versionsOf(name).includes(version)) metrics.forget(name, version)
    logger.info({ model: name, version }, 'a model is unloaded')
  })
  repository.on('failed', (name, version, why) =>
    logger.error({ model: name, version, why }, 'a model cannot be loaded')
  )
  let unseen = ''
  repository.on('unseen', why => {
    if (why !== unseen) logger.error({ why }, 'the models cannot be looked at')
    unseen = why
  })
  const { timeout, maxRows, maxBody, token, tls, host } = options
  const engine = new Engine(
    repository,
    { version, maxRows, timeout },
    metrics,
    options.traces ? await tracesOf() : noTraces
  )
  const app = await httpApp(engine, {
    ...{ log: logger, token, tls, maxBody, budget, requestTimeout: timeout, maxConnections: options.maxConnections },
    isLocal: isLoopback.test(host),
    proto: readFileSync(proto, 'utf8')
  }).catch(error => {
    throw tls ? new InputError(`--tls-cert and --tls-key: ${error.message}; a pair in PEM is allowed`) : error
  })
  let grpc: Awaited<ReturnType<typeof grpcServer>> | undefined
  try {
    const url = await listening(host, options.http, () => app.listen({ host, port: options.http }))
    if (options.grpc !== undefined) {
      const { grpc: port, maxConnections } = options
      const own = { log: logger, authorised: authoriser(token), tls, maxConnections, maxBody, budget, timeout, proto }
      grpc = await listening(host, port, () => grpcServer(engine, host, port, own))
    }
    await about(place, () => repository.open())
    return {
      url,
      grpcPort: grpc?.port,
      pool,
      repository,
      async close(grace = 0) {
        engine.drain()
        await new Promise(resolve => setTimeout(resolve, grace))
        await Promise.allSettled([within(app.close(), timeout), grpc?.close(timeout)])
        app.server.closeAllConnections()
        await within(repository.drained(), timeout)
        await pool.end()
      }
    }
  } catch (error) {
    app.server.closeAllConnections()
    await Promise.allSettled([app.close(), grpc?.close(0), repository.drained()])
    throw error
  }
}

const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i

const within = (step: PromiseLike<unknown>, milliseconds: number) => {
  let timer: NodeJS.Timeout
  const late = new Promise(resolve => (timer = setTimeout(resolve, milliseconds)))
  return Promise.race([step, late]).finally(() => clearTimeout(timer))
}

async function usualLog(quiet: boolean): Promise<Logger> {
  const { pino, destination } = await import('pino')
  return pino({ level: quiet ? 'warn' : 'info' }, destination(2))
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; another one is allowed',
  EACCES: 'the port may not be used; one from 1024 on is allowed',
  EADDRNOTAVAIL: 'this machine has no such address; localhost and 0.0.0.0 are allowed',
  ENOTFOUND: 'no such host; localhost and 0.0.0.0 are allowed'
}

async function listening<T>(host: string, port: number, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new InputError(`cannot listen on ${host}:${port}: ${reasons[code] ?? message.split('\n')[0]}`)
  }
}
