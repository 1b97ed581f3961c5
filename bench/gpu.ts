// Networks on WebGPU in Node, against onnxruntime's webgpu provider: outputs are compared first, then all take turns.
// `npm run bench:gpu -- [networks] [--vs ort-webgpu] [--rounds N] [--precision f32,f16] [--layers] [--swiftshader] [--out DIR]`, with
// --swiftshader on that instead of the machine's adapter; with --account
// what a run asks of a GPU instead (dispatches, bytes, JavaScript), with --predict what it takes on stated GPUs by their published
// figures, of networks or .onnx files; for both none is needed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openGpu } from '../cli/device/index.js'
import { subjectOf } from '../cli/measure/index.js'
import { gpuDispatches } from '../cli/report/index.js'
import { oneLine } from '../cli/terminal/index.js'
import { env } from '../runtime/index.js'
import { numberOf, peersOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { type Account, accountMarkdown, accountNotes, accountOf, accountTable } from './gpu/account.js'
import type { Precision } from './gpu/layers.js'
import { layersText } from './gpu/layers.js'
import { type Limits, measureLimits } from './gpu/limits.js'
import {
  bytesTable,
  dispatchTable,
  type Prediction,
  predict,
  predictionMarkdown,
  predictionNotes,
  predictionTable
} from './gpu/predict.js'
import { adapterText, type GpuReport, limitsText, markdown, predictedText, timingsTable } from './gpu/report.js'
import { measure, prepared } from './gpu/time.js'
import { network, pickNetworks, usual } from './networks.js'

const { values, positionals, given } = readArguments(
  'npm run bench:gpu -- [networks] [--vs LIST] [--rounds N] [--precision f32,f16] [--layers] [--swiftshader] [--account] [--predict] [--out DIR]',
  { vs: 'ort-webgpu', rounds: '30', precision: 'f32', out: undefined },
  ['layers', 'swiftshader', 'account', 'predict']
)
const rounds = numberOf('rounds', values.rounds, 1)
const peers = values.vs === '' ? [] : peersOf(values.vs)
const isFile = (name: string) => given.has('predict') && name.endsWith('.onnx')
const files = positionals.filter(isFile)
const others = positionals.filter(name => !isFile(name))
const names = files.length && !others.length ? [] : pickNetworks(others, usual)
const precisions = (values.precision ?? '').split(',').map(name => {
  if (name === 'f32' || name === 'f16') return name
  return fail(`--precision ${name}: f32, f16 are allowed, joined by commas`)
})

let known: Limits | undefined

/** Where tables of all networks are kept, unless they are wanted elsewhere. */
const resultsFor = () =>
  values.out ?? (positionals.length ? undefined : fileURLToPath(new URL('../../bench/results/', import.meta.url)))

try {
  await (given.has('predict') ? predictAll() : given.has('account') ? account() : measureAll())
} catch (error) {
  process.stderr.write(`bench: ${oneLine(error)}\n`)
  process.exitCode = 1
}
// onnxruntime's device keeps Node from ending.
process.exit()

async function account(): Promise<void> {
  const accounts: Account[] = []
  for (const name of names) {
    accounts.push(await accountOf(network(name), peers.includes('ort-webgpu')))
    process.stderr.write(`${name} `)
  }
  process.stderr.write('\n')
  console.log([accountTable(accounts), ...accountNotes(accounts)].join('\n'))
  const out = resultsFor()
  const { node } = process.versions
  write(out, 'gpu-account', { node, accounts }, accountMarkdown(accounts, { node }))
  if (out !== undefined) console.log(`written to ${join(out, 'gpu-account')}.md and .json`)
}

function predictAll(): void {
  const predictions: Prediction[] = []
  for (const precision of precisions) {
    const weights = precision === 'f16' ? 'f16' : undefined
    const subjects = [
      ...names.map(name => () => prepared(name, precision).subject),
      ...files.map(file => () => subjectOf(basename(file, '.onnx'), readFileSync(file), {}, { weights }))
    ]
    for (const subject of subjects) {
      const { name, file, bindings } = subject()
      const title = weights ? `${name}, ${weights}` : name
      predictions.push(predict(title, gpuDispatches(file, bindings, precision), precision))
      process.stderr.write(`${title} `)
    }
  }
  process.stderr.write('\n')
  const detailed = given.has('layers')
  if (detailed) for (const each of predictions) console.log(`${each.network}\n${dispatchTable(each)}\n`)
  console.log([predictionTable(predictions), '', bytesTable(predictions), ...predictionNotes(predictions)].join('\n'))
  write(resultsFor(), 'gpu-predict', undefined, predictionMarkdown(predictions, detailed))
}

async function measureAll(): Promise<void> {
  // Profiles need clocks of more than 65 µs; Dawn hides half precision on NVIDIA's driver for Vulkan.
  const flags = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=vulkan_enable_f16_on_nvidia']
  const gpu = await openGpu(flags, { system: !given.has('swiftshader') })
  env.webgpu.gpu = gpu
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' }))!
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info
  const report: GpuReport = {
    node: process.versions.node,
    adapter: { vendor, architecture, description, isFallbackAdapter },
    halves: adapter.features.has('shader-f16'),
    rounds,
    timings: [],
    layers: [],
    failures: []
  }
  console.log(adapterText(report))
  for (const precision of precisions) {
    if (precision === 'f16' && !report.halves) {
      report.failures.push('f16: this adapter has no half precision (shader-f16)')
      continue
    }
    for (const name of names) {
      await measureOne(report, gpu, name, precision)
      // Whatever ends the process before its time, what has been measured stays.
      write(values.out, 'gpu', report, markdown(report))
    }
  }
  console.log(['', timingsTable(report), '', ...report.failures].join('\n'))
  write(values.out, 'gpu', report, markdown(report))
  if (values.out) console.log(`written to ${join(values.out, 'gpu')}.md and .json`)
}

/** Measured anew before each network, because GPUs slow down as they get warm; of a program on the CPU once, as they take it long. */
async function limitsOf(gpu: GPU): Promise<Limits> {
  const { info } = (await gpu.requestAdapter({ powerPreference: 'high-performance' }))!
  if (!known || !info.isFallbackAdapter) known = await measureLimits(gpu)
  return known
}

/** Measures a network, or notes why not. */
async function measureOne(report: GpuReport, gpu: GPU, name: string, precision: Precision): Promise<void> {
  try {
    const limits = await limitsOf(gpu)
    const seconds = given.has('layers') ? 1 : undefined
    const { description } = report.adapter
    const options = { peers, rounds, seconds, description }
    const { timing, layers } = await measure(prepared(name, precision), precision, limits, options)
    report.timings.push(timing)
    console.log(`${name}, ${precision}: ${limitsText(limits)}${predictedText(timing)}`)
    if (!layers) return
    report.layers.push(layers)
    console.log(`\n${layersText(layers)}\n`)
  } catch (error) {
    report.failures.push(`${name}, ${precision}: ${oneLine(error)}`)
    console.log(report.failures.at(-1))
    process.exitCode = 1
  }
}

function write(folder: string | undefined, stem: string, report: unknown, text: string): void {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  if (report !== undefined) writeFileSync(join(folder, `${stem}.json`), `${JSON.stringify(report, undefined, 1)}\n`)
  writeFileSync(join(folder, `${stem}.md`), text)
}
