import { availableParallelism } from 'node:os'
import { askForWide, wideOption } from '../device/index.js'
import { readBytes } from '../model/index.js'
import { type Flags, InputError, type Option, UsageError } from '../terminal/index.js'

/** Flags of `cairn serve --api`. */
export const apiOptions: readonly Option[] = [
  { flag: '--api', value: 'MODELS', help: 'serve a folder of models, or a model, over the Open Inference Protocol v2' },
  { flag: '--http', value: 'N', help: 'with --api: port of REST (default 8000; 0 takes a free one)' },
  { flag: '--grpc', value: 'N', help: 'with --api: port of gRPC (default 8001; 0 takes a free one)' },
  { flag: '--no-grpc', help: 'with --api: no gRPC, which then needs not be installed' },
  { flag: '--name', value: 'NAME', help: 'with --api: what the one model in MODELS is called' },
  { flag: '--threads', value: 'N', help: 'with --api: threads, each with every model (default: one a core)' },
  { ...wideOption, help: `with --api: ${wideOption.help}` },
  { flag: '--queue', value: 'N', help: 'with --api: requests of a model that may wait; more get 429 (default 128)' },
  { flag: '--max-batch', value: 'N', help: 'with --api: requests that share a run at most (default 8; 1 for none)' },
  { flag: '--max-delay', value: 'MS', help: 'with --api: how long a request waits for others to share (default 0)' },
  { flag: '--max-rows', value: 'N', help: 'with --api: largest batch of one request (default 64)' },
  { flag: '--max-body', value: 'N', help: 'with --api: largest body (default 64MiB); all together 8 times that' },
  {
    flag: '--max-connections',
    value: 'N',
    help: 'with --api: connections of each protocol that are open at once (default 16384)'
  },
  { flag: '--timeout', value: 'S', help: 'with --api: seconds until a request is given up (default 30)' },
  { flag: '--grace', value: 'S', help: 'with --api: seconds that SIGTERM leaves it serving, not ready (default 5)' },
  { flag: '--poll', value: 'S', help: 'with --api: seconds between looks at the folder (default 2; 0 for none)' },
  { flag: '--uploads', help: 'with --api: take models that requests bring; with limits of memory and work' },
  { flag: '--max-memory', value: 'N', help: 'with --api: refuse models that need more (1GiB with --uploads)' },
  { flag: '--max-work', value: 'N', help: 'with --api: refuse runs of more steps (2³⁸ with --uploads)' },
  {
    flag: '--token-file',
    value: 'F',
    help: 'with --api: file of the bearer token (or CAIRN_TOKEN in the environment)'
  },
  { flag: '--tls-cert', value: 'F', help: 'with --api: certificate chain, as PEM' },
  { flag: '--tls-key', value: 'F', help: 'with --api: its private key, as PEM' },
  { flag: '--traces', help: 'with --api: spans for the OpenTelemetry SDK that NODE_OPTIONS brings' },
  { flag: '--quiet', help: 'with --api: no line in the log for each request' }
]

export interface ApiOptions {
  readonly place: string
  readonly name: string | undefined
  readonly host: string
  readonly http: number
  readonly grpc: number | undefined
  readonly threads: number
  readonly queue: number
  readonly maxBatch: number
  readonly maxDelay: number
  readonly maxRows: number
  readonly maxBody: number
  readonly maxConnections: number
  readonly timeout: number
  readonly grace: number
  readonly poll: number
  readonly uploads: boolean
  readonly maxMemory: number | undefined
  readonly maxWork: number | undefined
  readonly token: string | undefined
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly traces: boolean
  readonly quiet: boolean
}

export function apiOptionsOf(flags: Flags): ApiOptions {
  askForWide(flags)
  const place = flags.text('api')!
  const port = (name: string, usual: number) => {
    const port = flags.whole(name, 0) ?? usual
    if (port > 65535) throw new UsageError(`--${name} ${port}: a whole number from 0 to 65535 is allowed`)
    return port
  }
  const milliseconds = (name: string, usual: number) => {
    const seconds = flags.number(name) ?? usual
    if (seconds < 0 || seconds > 86400)
      throw new UsageError(`--${name} ${seconds}: seconds from 0 to 86400 are allowed`)
    return seconds * 1000
  }
  const uploads = flags.has('uploads')
  const [cert, key] = ['tls-cert', 'tls-key'].map(name => flags.text(name))
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key are given together')
  const delay = flags.number('max-delay') ?? 0
  if (delay < 0 || delay > 10_000)
    throw new UsageError(`--max-delay ${delay}: milliseconds from 0 to 10000 are allowed`)
  const timeout = milliseconds('timeout', 30)
  if (timeout === 0) throw new UsageError('--timeout 0: seconds above 0 are allowed')
  return {
    place,
    name: flags.text('name'),
    host: flags.text('host') ?? 'localhost',
    http: port('http', 8000),
    grpc: flags.without('grpc') ? undefined : port('grpc', 8001),
    threads: flags.whole('threads') ?? availableParallelism(),
    queue: flags.whole('queue') ?? 128,
    maxBatch: flags.whole('max-batch') ?? 8,
    maxDelay: delay,
    maxRows: flags.whole('max-rows') ?? 64,
    maxBody: flags.bytes('max-body') ?? 64 * 2 ** 20,
    maxConnections: flags.whole('max-connections') ?? 16384,
    timeout,
    grace: milliseconds('grace', 5),
    poll: milliseconds('poll', 2),
    uploads,
    maxMemory: flags.bytes('max-memory') ?? (uploads ? 2 ** 30 : undefined),
    maxWork: flags.number('max-work') ?? (uploads ? 2 ** 38 : undefined),
    token: tokenOf(flags.text('token-file')),
    tls: cert === undefined ? undefined : { cert: Buffer.from(readBytes(cert)), key: Buffer.from(readBytes(key!)) },
    traces: flags.has('traces'),
    quiet: flags.has('quiet')
  }
}

/** Never a flag of its own, which everybody on the machine could read. */
function tokenOf(path: string | undefined): string | undefined {
  const token = path === undefined ? process.env.CAIRN_TOKEN : Buffer.from(readBytes(path)).toString().trim()
  if (path !== undefined && !token) throw new InputError(`${path}: an empty token; a line of text is allowed`)
  return token || undefined
}
