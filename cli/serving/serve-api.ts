import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { type Flags, needPeers, print, printJson } from '../terminal/index.js'
import { apiOptionsOf } from './flags.js'

/**
 * Lets the heaps of this process grow to four times what lives in them before they are collected. The parts that bodies come in
 * count as growth of a heap, and soon are more than all else in it: by V8's own choice a busy server collects all the time.
 */
export function letHeapsGrow(): void {
  setFlagsFromString('--heap-growing-percent=300')
}

/** `cairn serve --api`: until SIGTERM or Ctrl-C, and then until everything that it was asked has its answer. */
export async function serveApi(flags: Flags): Promise<void> {
  const options = apiOptionsOf(flags)
  const grpc = options.grpc === undefined ? [] : ['@grpc/grpc-js', '@grpc/proto-loader']
  const traces = options.traces ? ['@opentelemetry/api'] : []
  await needPeers('serve --api', ['fastify', 'pino', 'prom-client', ...grpc, ...traces])
  letHeapsGrow()
  const { startServer } = await import('./server.js')
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const server = await startServer(options, version)
  const { url, grpcPort } = server
  const models = server.repository.index(false)
  const ready = models.filter(({ state }) => state === 'READY').length
  if (flags.has('json')) printJson({ url, grpc: grpcPort, models })
  else {
    const also = grpcPort === undefined ? '' : `, and over gRPC at port ${grpcPort}`
    print(`Cairn serves ${ready} of ${models.length} models at ${url}${also} (${url}/docs; Ctrl-C ends it)`)
  }
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(options.host)
  if (!isLocal && options.token === undefined)
    process.stderr.write(
      `cairn: note: ${options.host} can be reached from other machines, and no --token-file is given\n`
    )
  await new Promise<void>((resolve, reject) => {
    // A second one ends it at once.
    const end = (grace: number) => () => server.close(grace).then(resolve, reject)
    process.once('SIGTERM', end(options.grace))
    process.once('SIGINT', end(0))
  })
}
