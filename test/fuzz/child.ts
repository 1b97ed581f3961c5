// The process that tries files, so that one that hangs or takes all memory can be ended and named.
import { spoiltFile } from './files.js'
import type { Kind } from './seeds.js'
import { attempt } from './trial.js'

export interface Order {
  readonly kind: Kind
  readonly seed: number
  readonly from: number
  readonly to: number
}

export interface Answer {
  readonly number: number
  readonly outcome?: string
  readonly reason?: string
  readonly failure?: string
  /** Bytes that the process has held at most. */
  readonly peak: number
}

const send = (answer: Answer) => new Promise<void>(resolve => process.send!(answer, () => resolve()))

process.on('message', async ({ kind, seed, from, to }: Order) => {
  for (let number = from; number < to; number++) {
    let answer: Omit<Answer, 'peak'>
    try {
      answer = { number, ...(await attempt(await spoiltFile(kind, seed, number))) }
    } catch (error) {
      answer = { number, failure: (error as Error).stack ?? String(error) }
    }
    await send({ ...answer, peak: process.resourceUsage().maxRSS * 1024 })
  }
  process.disconnect!()
})
