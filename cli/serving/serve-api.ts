import { readFileSync } from 'node:fs'
import { type Flags, needPeers, print, printJson } from '../terminal/index.js'
import { apiOptionsOf } from './flags.js'

/** `cairn serve --api`: until SIGTERM or Ctrl-C, and then until everything that it was asked has its answer. */
export async function serveApi(flags: Flags): Promise<void> {
  const options = apiOptionsOf(flags)
  const grpc = options.grpc === undefined ? [] : ['@grpc/grpc-js', '@grpc/proto-loader']
  const traces = options.traces ? ['@opentelemetry/api'] : []
  await needPeers('serve --api', ['fastify', 'pino', 'prom-client', ...grpc, ...traces])
  const { startServer } = await import('./server.js')
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const server = await startServer(options, version)
  const { url, grpcPort } = server
  const models = server.repository.index(false)
  if (flags.has('json')) printJson({ url, grpc: grpcPort, models })
  else {
    const also = grpcPort === undefined ? '' : `, and over gRPC at port ${grpcPort}`
    print(`Cairn serves ${models.length} models at ${url}${also} (${url}/docs; Ctrl-C ends it)`)
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
