// What standing in for onnxruntime costs: a run through onnxruntime-common against one of this package's own sessions, a second
// visit against a .cairn file, in Node and in a page, and how long a page's thread is blocked while a model compiles.
// `npm run bench:dropin [-- NETWORK --seconds S --visits N]`; the network compiles in the page.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interleave, median, ratioOf, showSpread, spreadOf } from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { compile } from '../compiler/index.js'
import { GraphBuilder } from '../models/builder/builder.js'
import { zoo } from '../models/index.js'
import * as ort from '../ort/index.js'
import { InferenceSession, Tensor } from '../runtime/index.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { visits } from './dropin/visits.js'

const usage = 'npm run bench:dropin -- [NETWORK] [--seconds S] [--visits N]'
const { values, positionals } = readArguments(usage, { seconds: '20', visits: '9' })
const seconds = numberOf('seconds', values.seconds, 0, false)
const rounds = numberOf('visits', values.visits, 1)
const name = positionals[0] ?? 'efficientnet-b0'
const network = zoo[name] ?? fail(`no network "${name}" in the zoo`)

const options = { intraOpNumThreads: 1 }
const side = 224
const folder = mkdtempSync(join(tmpdir(), 'cairn-dropin-'))
const rows: string[][] = []
try {
  await inNode()
  await inPage()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(table(['what', 'stand-in', 'by itself', 'stand-in more'], rows, ['left', 'right', 'right', 'right']))
process.exit(0)

/** MobileNetV2: a run each way, and a load each way. */
async function inNode(): Promise<void> {
  const onnx = zoo['mobilenet-v2'].build()
  const file = await compile(onnx)
  const [model, compiled] = ['model.onnx', 'model.cairn'].map(name => join(folder, name))
  writeFileSync(model, onnx)
  writeFileSync(compiled, file)
  Object.assign(ort.env, { cairn: { cache: join(folder, 'kept') } })
  await runs('MobileNetV2', file)
  // What lies between input and output is the same for both and only makes the difference uncertain.
  const graph = new GraphBuilder('nearly-nothing', { seed: 1 })
  const little = graph.finish(graph.input([3, side, side]).globalAveragePool().flatten().gemm('fc', 1000))
  await runs('its input and output, little between', await compile(little))
  const again = async (session: Promise<{ release(): Promise<void> }>) => (await session).release()
  await again(ort.InferenceSession.create(model, options))
  const loads = await interleave(
    [
      { run: () => again(ort.InferenceSession.create(model, options)) },
      { run: () => again(InferenceSession.create(compiled)) }
    ],
    { seconds, least: 15 }
  )
  rows.push([
    `a load of MobileNetV2 in Node, ms (${loads[0].length} each)`,
    ...loads.map(times => showSpread(spreadOf(times), 1)),
    `${showSpread(ratioOf(loads[1], loads[0]))} times`
  ])
}

/** Milliseconds of runs through onnxruntime-common, of the session's own, and between the two of a round. */
async function runs(what: string, file: Uint8Array): Promise<void> {
  const [theirs, own] = [await ort.InferenceSession.create(file, options), await InferenceSession.create(file)]
  const data = Float32Array.from({ length: 3 * side * side }, Math.random)
  const [input] = own.inputNames
  const given = { [input]: new ort.Tensor('float32', data, [1, 3, side, side]) }
  const feeds = { [input]: new Tensor('float32', data, [1, 3, side, side]) }
  const contestants = [{ run: () => theirs.run(given) }, { run: () => own.run(feeds) }]
  const [through, direct] = await interleave(contestants, { seconds, least: 50, most: 5000 })
  const more = spreadOf(through.map((time, i) => time - direct[i]))
  rows.push([
    `a run of ${what}, ms (${direct.length} each)`,
    ...[through, direct].map(times => showSpread(spreadOf(times))),
    `${showSpread(more, 3)} ms`
  ])
  await Promise.all([theirs.release(), own.release()])
}

/** The network compiles in the page's worker once, and then visits load it each way. */
async function inPage(): Promise<void> {
  const onnx = network.build()
  const { first, own, stored } = await visits(onnx, await compile(onnx), rounds)
  const blocked = Math.max(0, ...first.blocked)
  rows.push([
    `${name} (${(onnx.length / 1e6).toFixed(0)} MB) compiled in the page, ms`,
    first.milliseconds.toFixed(0),
    '',
    `longest task ${blocked ? `${blocked.toFixed(0)} ms` : 'under 50 ms'}, longest pause ${first.pause.toFixed(0)} ms`
  ])
  rows.push([
    `its load on the next visits, ms (${rounds} each)`,
    ...[own, stored].map(times => showSpread(spreadOf(times), 1)),
    `${(median(own) / median(stored)).toFixed(2)} times`
  ])
}
