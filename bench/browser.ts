// Whole networks in a browser: Cairn, onnxruntime-web, TensorFlow.js and LiteRT.js, each on WebAssembly, in float32 and in int8, in
// one page that gives them turns after it has compared their outputs. A page for each network and number of threads.
// `npm run bench:browser [networks] [-- --threads 1,2 --numbers float32,int8 --seconds S]`; without any of them it writes
// bench/results/browser.md and .json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../cli/terminal/index.js'
import { filesOf, hasSelfie, type NetworkFiles, selfie } from './browser/files.js'
import type { Numbers } from './browser/page/task.js'
import { type BrowserReport, header, markdown, type NetworkResult, rowsOf, standingsOf } from './browser/report.js'
import { entriesOf, Tabs } from './browser/tab.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { versionsOf } from './command/versions.js'
import { pickNetworks } from './networks.js'

const { values, positionals } = readArguments(
  'npm run bench:browser -- [networks] [--threads 1,2] [--numbers float32,int8] [--seconds S] [--out DIR]',
  { threads: '1,2', numbers: 'float32,int8', seconds: '20', out: undefined }
)
const seconds = numberOf('seconds', values.seconds, 0.1, false)
const threads = values.threads!.split(',').map(count => numberOf('threads', count, 1))
const numbers = values.numbers!.split(',').map(name => {
  if (name !== 'float32' && name !== 'int8') fail(`--numbers ${name}: float32 and int8 are allowed`)
  return name as Numbers
})
const usual = [
  ...['mobilenet-v2', 'mobilenet-v3-large', 'efficientnet-b0', 'squeezenet1.1', 'resnet18', 'resnet50', 'densenet121'],
  ...['inception-v3']
]
const wanted = positionals.filter(name => name !== selfie)
if (wanted.length < positionals.length && !hasSelfie())
  fail(`${selfie}: its ONNX file has to lie beside the checkout, its .tflite file in node_modules`)
const names = [
  ...(positionals.includes(selfie) || (!positionals.length && hasSelfie()) ? [selfie] : []),
  ...(positionals.length && !wanted.length ? [] : pickNetworks(wanted, usual))
]
const out =
  values.out ?? (process.argv.length > 2 ? undefined : fileURLToPath(new URL('../../bench/results/', import.meta.url)))

const tabs = await Tabs.open()
const results: NetworkResult[] = []
for (const name of names) {
  const files = await filesOf(name, numbers)
  for (const count of threads) {
    const result = await measured(files, count)
    results.push(result)
    console.log(`${name}, ${count} thread${count > 1 ? 's' : ''}`)
    console.log(`${table(header, rowsOf(result), ['left', 'left', ...header.slice(2).map(() => 'right' as const)])}\n`)
  }
}
const report: BrowserReport = {
  chromium: tabs.version,
  processor: cpus()[0].model.trim(),
  packages: versionsOf(['onnxruntime-web', '@tensorflow/tfjs-backend-wasm', '@litertjs/core']),
  networks: results
}
await tabs.close()
if (out !== undefined) {
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'browser.json'), `${JSON.stringify(report, undefined, 1)}\n`)
  writeFileSync(join(out, 'browser.md'), markdown(report))
  console.log(`written to ${join(out, 'browser')}.md and .json`)
}
process.exit(0)

async function measured(network: NetworkFiles, threads: number): Promise<NetworkResult> {
  const { name, macs, files } = network
  const missing = files.flatMap(({ engine, numbers, bytes }) =>
    typeof bytes === 'string' ? [{ engine, numbers, refusal: bytes }] : []
  )
  const runs = await tabs.measure({ threads, seconds, ...entriesOf(tabs, network) })
  return { network: name, macs, threads, standings: [...standingsOf(runs), ...missing] }
}
