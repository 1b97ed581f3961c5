// A step of training (forward, backward, update by SGD with momentum) against TensorFlow.js: same weights and batch, three
// steps compared, then timed in turns. `npm run bench:train [-- --seconds S --out DIR]`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { interleave, showSpread } from '../compiler/cli/measure/interleave.js'
import { ratioOf, type Spread, spreadOf } from '../compiler/cli/measure/statistics.js'
import { table } from '../compiler/cli/table.js'
import { numberOf, readArguments } from './arguments.js'
import { fail } from './fail.js'
import { markdownTable } from './peers-report.js'
import { tfjsForTraining } from './tfjs-training.js'
import { cases } from './train-cases.js'
import { batchOf, disagreement, openCairn, openTfjs } from './train-step.js'

const { values } = readArguments('npm run bench:train -- [--seconds S] [--out DIR]', {
  seconds: '20',
  out: fileURLToPath(new URL('../../bench/results/', import.meta.url))
})
const seconds = numberOf('seconds', values.seconds, 0.1, false)
const tolerance = 1e-3

interface Result {
  readonly case: string
  readonly batch: number
  readonly backend: string
  readonly refusal?: string
  readonly error: number
  readonly rounds: number
  readonly cairn: Spread
  readonly tfjs: Spread
  readonly ratio: Spread
}

const tf = await tfjsForTraining()
const results: Result[] = []
for (const subject of cases) {
  const batch = batchOf(subject, subject.batch)
  const cairn = await openCairn(subject, batch)
  const tfjs = await openTfjs(tf, subject, batch, cairn)
  const error = await disagreement(cairn, tfjs)
  if (!(error <= tolerance))
    fail(`${subject.name}: weights differ by ${error.toExponential(1)} after three steps, ${tolerance} is allowed`)
  const [own, other] = await interleave(
    [cairn, tfjs].map(({ step }) => ({ run: step })),
    { seconds, least: 9 }
  )
  const { backend, refusal } = tfjs
  results.push({
    case: subject.name,
    batch: subject.batch,
    backend,
    refusal,
    error,
    rounds: own.length,
    cairn: spreadOf(own),
    tfjs: spreadOf(other),
    ratio: ratioOf(own, other)
  })
  await cairn.release()
  await tfjs.release()
}

const header = ['step', 'batch', 'Cairn, ms', 'TensorFlow.js, ms', 'backend', 'ratio', 'difference']
const rows = results.map(({ case: name, batch, cairn, tfjs, backend, ratio, error }) => [
  name,
  String(batch),
  showSpread(cairn),
  showSpread(tfjs),
  backend,
  showSpread(ratio),
  error.toExponential(0)
])
const align = ['left', 'right', 'right', 'right', 'left', 'right', 'right'] as const
const refusals = results.flatMap(({ case: name, refusal }) =>
  refusal ? [`${name}: TensorFlow.js says ${refusal}`] : []
)
console.log([table(header, rows, align), ...refusals].join('\n'))

const out = values.out!
const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu']
const versions = Object.fromEntries(packages.map(name => [name, versionOf(name)]))
const processor = cpus()[0].model.trim()
mkdirSync(out, { recursive: true })
const report = { node: process.versions.node, processor, packages: versions, results }
writeFileSync(join(out, 'train.json'), `${JSON.stringify(report, undefined, 1)}\n`)
writeFileSync(
  join(out, 'train.md'),
  `# Steps of training on Node ${process.versions.node}

Written by \`npm run bench:train\`. ${processor}; one thread; float32; ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.
A step is forward, softmax cross-entropy, backward, and the update by SGD with momentum, from a batch in JavaScript's memory to the
loss there. Both began with the same weights; *difference* is that of their weights after three steps, as a share of a tensor's
largest. Then they took turns in one process: medians with quartiles; ratios say how many times as long as Cairn TensorFlow.js
takes, round by round.

${markdownTable(
  header.map((title, i) => [title, align[i]] as const),
  rows
)}
${refusals.length ? `\n${refusals.map(line => `- ${line}, so it runs on its backend in plain JavaScript.`).join('\n')}\n` : ''}`
)
console.log(`written to ${join(out, 'train')}.md and .json`)

function versionOf(name: string): string {
  const entry = dirname(createRequire(import.meta.url).resolve(name))
  const folder = entry.slice(0, entry.lastIndexOf(name) + name.length)
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
}
