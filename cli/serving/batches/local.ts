import { readFile } from 'node:fs/promises'
import type { PictureResult } from '../pool/index.js'
import { servingError } from '../protocol/index.js'
import type { Executor } from './driver.js'
import type { Input } from './inputs.js'
import type { Outcome, PackedResult } from './journal.js'
import { Performer } from './performer.js'
import type { Prepared } from './settings.js'

export function packed(result: PictureResult): PackedResult {
  if (!('features' in result)) return result
  const { buffer, byteOffset, byteLength } = result.features
  return { features: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
}

/** Whether trying again could help: not where the input itself is refused. */
export const isFinal = (error: unknown): boolean => servingError(error).fault === 'invalid'

/** Without a queue: everything in this process. */
export class LocalExecutor implements Executor {
  private readonly performer: Performer

  constructor(
    private readonly prepared: Prepared,
    threads: number,
    private readonly attempts: number
  ) {
    this.performer = new Performer(threads)
  }

  async run({ path }: Input): Promise<Outcome> {
    for (let attempt = 1; ; attempt++)
      try {
        const bytes = await readFile(path)
        const { digest } = this.prepared.settings
        return { result: packed(await this.performer.perform(digest, async () => this.prepared, path, bytes)) }
      } catch (error) {
        if (attempt >= this.attempts || isFinal(error)) return { error: servingError(error).message }
      }
  }

  end(): Promise<void> {
    return this.performer.end()
  }
}
