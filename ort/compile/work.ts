import { listen } from '../../runtime/cpu/index.js'
import { type Job, type Made, perform } from './job.js'

/** A worker that compiles one model: what its scripts (runtime/compile-worker-place.ts) call. */
export type Answered = { readonly made: Made } | { readonly error: string }

export const serve = () =>
  listen(async (message, answer) => {
    try {
      const made = await perform(message as Job)
      answer({ made } satisfies Answered, made.file ? [made.file.buffer as ArrayBuffer] : [])
    } catch (error) {
      answer({ error: (error as Error).message } satisfies Answered)
    }
  })
