// Random networks on Cairn against onnxruntime-node. CAIRN_RANDOM_SEEDS sets how many (500 for acceptance); a failure
// names its seed (repeat with CAIRN_RANDOM_SEED) and shows the smallest part of the network that fails.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { backends, compileModel, Runner } from './support/cairn.js'
import { assertClose, tolerance } from './support/compare.js'
import { failure } from './support/failure.js'
import { type Bindings, type Named, Oracle, randomFeeds } from './support/oracle.js'
import { baseSeed, Random } from './support/random.js'
import { randomNetwork, upTo } from './support/random-graph.js'

const test = suite('random')
const fixedSeed = process.env.CAIRN_RANDOM_SEED
const count = fixedSeed ? 1 : Number(process.env.CAIRN_RANDOM_SEEDS ?? 150)
const first = fixedSeed ? Number(fixedSeed) : baseSeed

/**
 * onnxruntime gives a Sigmoid in steps of 2^-24, which is much of a result close to zero. Where a network has one,
 * outputs smaller than this count as this large: errors of up to 2^-21 pass.
 */
const sigmoidFloor = 2 ** -21 / tolerance

async function compare(seed: number, model: Uint8Array, feeds: readonly Named[], floor = 0): Promise<void> {
  const oracle = await Oracle.load(model)
  const file = compileModel(model, { winograd: ([2, 0, 4] as const)[seed % 3] })
  for (const backend of backends) {
    const runner = await Runner.load(file, backend)
    for (const feed of feeds) {
      try {
        assertClose(await runner.run(feed), await oracle.run(feed), tolerance, floor)
      } catch (error) {
        throw new Error(`${backend}: ${(error as Error).message}`)
      }
    }
    await runner.release()
  }
  await oracle.release()
}

/** The first value of the network that is wrong when it is the only output. */
async function smallest(seed: number, feedsFor: (bindings: Bindings) => Named): Promise<string> {
  const { model, bindings } = randomNetwork(seed)
  const proto = model.proto()
  const names = model.inputs.map(input => input.name)
  for (const node of model.nodes)
    for (const output of node.output!) {
      const part = upTo({ proto, inputs: names }, output)
      const feeds = bindings.map(b =>
        Object.fromEntries(Object.entries(feedsFor(b)).filter(([name]) => part.inputs.includes(name)))
      )
      try {
        await compare(seed, part.bytes, feeds, part.text.includes(' = Sigmoid(') ? sigmoidFloor : 0)
      } catch (error) {
        const file = join(tmpdir(), `cairn-random-${seed}.onnx`)
        writeFileSync(file, part.bytes)
        return `smallest part that fails (${file}): ${(error as Error).message}\n${part.text}`
      }
    }
  const whole = model.proto().graph!
  const file = join(tmpdir(), `cairn-random-${seed}.onnx`)
  writeFileSync(file, model.encode())
  return `only the whole network fails (${file}, ${whole.node!.length} nodes)\n${upTo({ proto, inputs: names }, model.outputs[0]).text}`
}

for (let i = 0; i < count; i++) {
  const seed = (first + i) % 2 ** 31
  test(`seed ${seed}`, async () => {
    const { model, bindings } = randomNetwork(seed)
    const floor = model.nodes.some(node => node.opType === 'Sigmoid') ? sigmoidFloor : 0
    const feedsFor = (b: Bindings) => randomFeeds(model.inputs, new Random('feeds', seed), b)
    try {
      await compare(seed, model.encode(), bindings.map(feedsFor), floor)
    } catch (error) {
      const part = await smallest(seed, feedsFor)
      throw failure(`${(error as Error).message}\nrepeat with CAIRN_RANDOM_SEED=${seed}\n${part}`)
    }
  })
}
test.run()
