// What test/project/hosts.ts runs in processes of its own: sessions made, run and released, one after the other, by nothing but awaits.
import { InferenceSession, ParallelSession, Tensor } from '../../../runtime/index.js'

const [path, kind, cycles, size] = process.argv.slice(2)
const dims = [2, 3, Number(size), Number(size)]
const x = new Tensor('float32', Float32Array.from({ length: dims.reduce((a, b) => a * b) }, Math.random), dims)
let sums = 0
for (let i = 0; i < Number(cycles); i++) {
  const session =
    kind === 'parallel'
      ? await ParallelSession.create(path, { workers: 2 })
      : await InferenceSession.create(path, { numThreads: kind === 'threads' ? 2 : 1 })
  const [y] = Object.values(await session.run({ x }))
  await session.release()
  sums += Number.isFinite((y.data as Float32Array)[0]) ? 1 : 0
}
process.stdout.write(String(sums), () => process.exit(0))
