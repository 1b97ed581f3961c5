import type { Answer, Argument, Method, Progress, Reply } from './protocol.js'

/** One worker with one model: compiling and running never hold up the page. */
export class Engine {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  private readonly waiting = new Map<number, Waiting>()
  private asked = 0

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.hear(data)
    this.worker.onerror = event => this.fail(event.message || 'the worker cannot be loaded')
  }

  /** Rejects with an error of one line. */
  ask<M extends Method>(
    method: M,
    argument: Argument<M>,
    onProgress?: (progress: Progress) => void
  ): Promise<Answer<M>> {
    const id = this.asked++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: value => resolve(value as Answer<M>), reject, onProgress })
      this.worker.postMessage({ id, method, argument })
    })
  }

  /** Ends at once whatever it is doing. */
  end(): void {
    this.worker.terminate()
    this.fail('stopped')
  }

  private hear(reply: Reply): void {
    const waiting = this.waiting.get(reply.id)
    if (!waiting) return
    if ('progress' in reply) {
      waiting.onProgress?.(reply.progress)
      return
    }
    this.waiting.delete(reply.id)
    if ('error' in reply) waiting.reject(new Error(reply.error))
    else waiting.resolve(reply.value)
  }

  private fail(why: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(why))
    this.waiting.clear()
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
  readonly onProgress: ((progress: Progress) => void) | undefined
}
