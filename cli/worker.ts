import { availableParallelism } from 'node:os'
import { type Command, needPeers, print, UsageError } from './terminal/index.js'

/** `cairn worker`: takes what `cairn batch --redis` puts on a queue, until it is ended. */
export const worker: Command = {
  name: 'worker',
  usage: '',
  summary: 'Take the pictures of cairn batch --redis from their queue, on any machine.',
  options: [
    { flag: '--redis', value: 'URL', help: 'the queue, as redis://host:6379 (needs bullmq and ioredis)' },
    { flag: '--queue', value: 'NAME', help: 'which queue (default cairn)' },
    { flag: '--threads', value: 'N', help: 'threads (default: one a core)' },
    { flag: '--patience', value: 'S', help: 'seconds until others take what a silent worker has (default 10)' }
  ],
  examples: ['--redis redis://queue:6379', '--redis redis://queue:6379 --threads 4'],

  async run(_, flags) {
    const url = flags.text('redis')
    if (url === undefined) throw new UsageError('worker: --redis URL is needed')
    const threads = flags.whole('threads') ?? availableParallelism()
    const queue = flags.text('queue') ?? 'cairn'
    const patience = (flags.number('patience') ?? 10) * 1000
    if (patience < 500) throw new UsageError('--patience: seconds from 0.5 are allowed')
    await needPeers('worker', ['bullmq', 'ioredis'])
    const { startWorker } = await import('./serving/batches/index.js')
    const { stop } = await startWorker({ url, queue, patience }, threads, print)
    print(`Cairn takes pictures from queue ${queue} of ${new URL(url).host} on ${threads} threads (Ctrl-C ends it)`)
    await new Promise<void>((resolve, reject) => {
      const end = () => stop().then(resolve, reject)
      process.once('SIGTERM', end)
      process.once('SIGINT', end)
    })
  }
}
