import { aligned, type Dispatch, inLanes, named, product, type Shader } from '../dispatch.js'

/** A kernel whose windows become what `files` say, four channels at a time where they are aligned. */
export function pooling(block: string, files: readonly string[]): Shader {
  return {
    block,
    dispatches(p): Dispatch[] {
      const steps = [p.xBatch, ...named(p, 'i', 3), p.yBatch, ...named(p, 'o', 3)]
      const vector = aligned(p.channels, p.xAt, p.yAt, ...steps)
      const count = product(p.batch, ...named(p, 'y', 3), p.channels)
      return [inLanes(['index', 'loops', 'lanes', 'taps', ...files, 'pool'], 'pool', vector, count)]
    }
  }
}

export const pool = pooling('Pool', ['pool-floats'])
