// What test/project/engines.ts has other engines do: a file opened by its path, on one thread, on three, and in workers. Nothing
// is released, since the process has to end all the same.
import { env, InferenceSession, ParallelSession, Tensor } from '../../../runtime/index.js'

export interface EngineRun {
  readonly what: string
  readonly threads: number
  readonly output: readonly number[]
}

const [path] = process.argv.slice(2)
const dims = [4, 3, 32, 32]
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((i * 7919) % 1000) / 500 - 1)
const input = new Tensor('float32', data, dims)

const runs: EngineRun[] = []
async function add(what: string, session: InferenceSession | ParallelSession): Promise<void> {
  const { output } = await session.run({ input })
  const threads = session instanceof InferenceSession ? session.threads : session.workers
  runs.push({ what, threads, output: Array.from(output.data as Float32Array) })
}

await add('its own best binary', await InferenceSession.create(path))
env.wasm.binary = 'simd'
await add('one thread', await InferenceSession.create(path))
await add('three threads', await InferenceSession.create(path, { numThreads: 3 }))
await add('two workers', await ParallelSession.create(path, { workers: 2 }))
console.log(JSON.stringify(runs))
