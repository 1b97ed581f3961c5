import { compile } from '../../compiler/index.js'
import { GraphBuilder } from '../../models/builder/builder.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { quantile } from './statistics.js'

/** Pixels (a side of the square map), inputs and outputs of a 1x1 convolution: small enough for the first-level cache. */
const problems = [
  { side: 8, inner: 256, columns: 64 },
  { side: 8, inner: 64, columns: 64 },
  { side: 4, inner: 256, columns: 32 },
  { side: 6, inner: 128, columns: 32 }
]
/** Equal layers in a row, so that one run gives many times. */
const depth = 8

/**
 * The peak that shares refer to: the largest rate that the dense micro-kernel reaches on a product whose operands lie
 * in the first-level cache, in this process and now. It moves with the clock of a shared machine: measure it again
 * beside whatever it is compared with.
 */
export class Peak {
  private best = 0

  private constructor(
    private readonly sessions: readonly { session: InferenceSession; input: Tensor; macs: number }[]
  ) {}

  static async open(threads = 1): Promise<Peak> {
    const sessions = problems.map(async ({ side, inner, columns }) => {
      const graph = new GraphBuilder('peak', { batch: 1 })
      let x = graph.input([inner, side, side])
      // Every second layer is the problem; the others lead back to its number of inputs.
      for (let i = 0; i < depth; i++)
        x = x.conv(`peak${i}`, columns, { kernel: 1 }).conv(`back${i}`, inner, { kernel: 1 })
      const session = await InferenceSession.create(await compile(graph.finish(x)), { numThreads: threads })
      const input = new Tensor('float32', new Float32Array(inner * side * side).fill(0.5), [1, inner, side, side])
      return { session, input, macs: side * side * inner * columns }
    })
    return new Peak(await Promise.all(sessions))
  }

  /** Gigaflops a second, from a few milliseconds of work; the fastest twentieth of the calls counts. */
  async measure(): Promise<number> {
    const rates: number[] = []
    for (const { session, input, macs } of this.sessions) {
      const times: number[] = []
      for (let run = 0; run < 6; run++)
        for (const { node, milliseconds } of await session.profile({ input }))
          if (/^peak\d+$/.test(node)) times.push(milliseconds)
      rates.push((2 * macs) / quantile(times, 0.05) / 1e6)
    }
    const now = Math.max(...rates)
    this.best = Math.max(this.best, now)
    return now
  }

  /** The largest of all measurements so far. */
  get largest(): number {
    return this.best
  }

  async release(): Promise<void> {
    for (const { session } of this.sessions) await session.release()
  }
}
