import type { Section } from './header.js'
import type { Source } from './source.js'

/** Bytes that are read at once, and reads that are begun ahead, so that reading and what follows go on side by side. */
const batchBytes = 4 << 20
const readAhead = 2

/**
 * All sections in the order of the file: their indices and bytes. These are read to where `placeOf` says, or else to a
 * spare buffer, which is to be given back.
 */
export async function* arrivals(
  source: Source,
  sections: readonly Section[],
  placeOf: (index: number) => Uint8Array | undefined,
  spare: Spare
): AsyncGenerator<[index: number, bytes: Uint8Array]> {
  const order = sections.map((_, i) => i).sort((a, b) => sections[a].offset - sections[b].offset)
  const batches = batchesOf(order, sections)
  const reads: Promise<Uint8Array[]>[] = []
  for (const [at, batch] of batches.entries()) {
    while (reads.length < Math.min(at + 1 + readAhead, batches.length)) {
      const next = batches[reads.length]
      const read = readBatch(
        source,
        next.map(i => sections[i]),
        next.map(i => placeOf(i) ?? spare.take(sections[i].bytes))
      )
      // Awaited in its turn; until then a failure is nobody's.
      read.catch(() => undefined)
      reads.push(read)
    }
    const bytes = await reads[at]
    for (const [i, index] of batch.entries()) yield [index, bytes[i]]
  }
}

/** Runs of sections that follow each other but for padding. */
function batchesOf(order: readonly number[], sections: readonly Section[]): number[][] {
  const batches: number[][] = []
  let [end, held] = [-1, 0]
  for (const index of order) {
    const { offset, bytes } = sections[index]
    const gap = offset - end
    if (gap < 0 || gap >= 16 || held >= batchBytes) {
      batches.push([])
      held = 0
    }
    batches[batches.length - 1].push(index)
    held += bytes
    end = offset + bytes
  }
  return batches
}

async function readBatch(source: Source, batch: readonly Section[], targets: Uint8Array[]): Promise<Uint8Array[]> {
  const withGaps = targets.flatMap((target, i) => {
    const gap = i + 1 < batch.length ? batch[i + 1].offset - batch[i].offset - batch[i].bytes : 0
    return gap ? [target, new Uint8Array(gap)] : [target]
  })
  await source.read(batch[0].offset, withGaps)
  return targets
}

/** Buffers that are used again: fresh memory costs more than reading into it. */
export class Spare {
  private readonly free: ArrayBuffer[] = []

  take(bytes: number): Uint8Array {
    const fits = this.free.findIndex(buffer => buffer.byteLength >= bytes)
    const buffer = fits < 0 ? new ArrayBuffer(bytes) : this.free.splice(fits, 1)[0]
    return new Uint8Array(buffer, 0, bytes)
  }

  give({ buffer }: Uint8Array): void {
    this.free.push(buffer as ArrayBuffer)
    this.free.sort((a, b) => a.byteLength - b.byteLength)
  }
}
