// Random networks on Cairn against onnxruntime-node. CAIRN_RANDOM_SEEDS sets how many (500 for acceptance); a failure
// names its seed (repeat with CAIRN_RANDOM_SEED) and shows the smallest part of the network that fails.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { failure } from '../support/failure.js'
import { randomNetwork, upTo } from '../support/network/random-graph.js'
import { type Named, Oracle, spellSigmoids } from '../support/onnx/oracle.js'
import { steadyFeeds } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite('random')
const backends = await presentBackends()
const fixedSeed = process.env.CAIRN_RANDOM_SEED
const count = fixedSeed ? 1 : Number(process.env.CAIRN_RANDOM_SEEDS ?? 150)
/** A GPU that is a program takes seconds for a network: it gets one in so many, and with CAIRN_ALL=1 each. */
const gpuInterval = process.env.CAIRN_ALL ? 1 : 10
const first = fixedSeed ? Number(fixedSeed) : baseSeed

async function compare(seed: number, model: Uint8Array, feeds: readonly Named[]): Promise<void> {
  const oracle = await Oracle.load(spellSigmoids(model))
  const file = compileModel(model, { winograd: ([2, 0, 4] as const)[seed % 3] })
  for (const backend of backends) {
    if (backend === 'webgpu' && seed % gpuInterval && !fixedSeed) continue
    const runner = await Runner.load(file, backend)
    for (const feed of feeds) {
      try {
        assertClose(await runner.run(feed), await oracle.run(feed))
      } catch (error) {
        throw new Error(`${backend}: ${(error as Error).message}`)
      }
    }
    await runner.release()
  }
  await oracle.release()
}

/** The first value of the network that is wrong when it is the only output. */
async function smallest(seed: number, whole: readonly Named[]): Promise<string> {
  const { model } = randomNetwork(seed)
  const proto = model.proto()
  const names = model.inputs.map(input => input.name)
  for (const node of model.nodes)
    for (const output of node.output!) {
      const part = upTo({ proto, inputs: names }, output)
      const feeds = whole.map(all =>
        Object.fromEntries(Object.entries(all).filter(([name]) => part.inputs.includes(name)))
      )
      try {
        await compare(seed, part.bytes, feeds)
      } catch (error) {
        const file = join(tmpdir(), `cairn-random-${seed}.onnx`)
        writeFileSync(file, part.bytes)
        return `smallest part that fails (${file}): ${(error as Error).message}\n${part.text}`
      }
    }
  const graph = model.proto().graph!
  const file = join(tmpdir(), `cairn-random-${seed}.onnx`)
  writeFileSync(file, model.encode())
  return `only the whole network fails (${file}, ${graph.node!.length} nodes)\n${upTo({ proto, inputs: names }, model.outputs[0]).text}`
}

for (let i = 0; i < count; i++) {
  const seed = (first + i) % 2 ** 31
  test(`seed ${seed}`, async () => {
    const { model, bindings } = randomNetwork(seed)
    let feeds: Named[] = []
    try {
      feeds = await steadyFeeds(model, bindings, new Random('feeds', seed))
      await compare(seed, model.encode(), feeds)
    } catch (error) {
      const part = feeds.length ? await smallest(seed, feeds) : ''
      throw failure(`${(error as Error).message}\nrepeat with CAIRN_RANDOM_SEED=${seed}\n${part}`)
    }
  })
}
test.run()
