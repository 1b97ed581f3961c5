// A step of training (forward, backward, update by SGD with momentum) against TensorFlow.js: same weights and batch, three
// steps compared, then timed in turns. `npm run bench:train [-- --seconds S --out DIR]`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { interleave, ratioOf, type Spread, showSpread, spreadOf } from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { markdownTable } from './peers/peers-report.js'
import { tfjsForTraining } from './train/tfjs-training.js'
import { cases } from './train/train-cases.js'
import { batchOf, disagreements, openCairn, openTfjs } from './train/train-step.js'

const { values } = readArguments('npm run bench:train -- [--seconds S] [--out DIR]', {
  seconds: '20',
  out: fileURLToPath(new URL('../../bench/results/', import.meta.url))
})
const seconds = numberOf('seconds', values.seconds, 0.1, false)
const tolerance = 1e-3

interface Result {
  readonly case: string
  readonly batch: number
  readonly rounds: number
  readonly cairn: Spread
  readonly tfjs: readonly Standing[]
}

interface Standing {
  readonly backend: string
  readonly times: Spread
  readonly ratio: Spread
  readonly error: number
}

const tfjs = await tfjsForTraining()
const results: Result[] = []
for (const subject of cases) {
  const batch = batchOf(subject, subject.batch)
  const cairn = await openCairn(subject, batch)
  const peers = await openTfjs(tfjs, subject, batch, cairn)
  const errors = await disagreements(cairn, peers)
  errors.forEach((error, i) => {
    if (!(error <= tolerance))
      fail(
        `${subject.name}, ${peers[i].backend}: weights differ by ${error.toExponential(1)} after three steps, ${tolerance} is allowed`
      )
  })
  const contestants = [cairn, ...peers].map(({ step }) => ({ run: step }))
  const [own, ...others] = await interleave(contestants, { seconds, least: 9 })
  results.push({
    case: subject.name,
    batch: subject.batch,
    rounds: own.length,
    cairn: spreadOf(own),
    tfjs: others.map((times, i) => ({
      backend: peers[i].backend,
      times: spreadOf(times),
      ratio: ratioOf(own, times),
      error: errors[i]
    }))
  })
  for (const each of [cairn, ...peers]) await each.release()
}

const header = ['step', 'batch', 'Cairn, ms', 'TensorFlow.js, ms', 'ratio', 'difference', 'backend']
const align = ['left', 'right', 'right', 'right', 'right', 'right', 'left'] as const
const rows = results.flatMap(({ case: name, batch, cairn, tfjs }) =>
  tfjs.map(({ backend, times, ratio, error }) => [
    name,
    String(batch),
    showSpread(cairn),
    showSpread(times),
    showSpread(ratio, 1),
    error.toExponential(0),
    backend
  ])
)
console.log(table(header, rows, align))

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
${
  tfjs.lent
    ? `
The WebAssembly backend of TensorFlow.js has no kernel \`${tfjs.lent}\`: as it comes it cannot train convolutions, and the one in plain
JavaScript is what is left. It was then lent the kernel, made of its own convolution and transpositions.
`
    : ''
}`
)
console.log(`written to ${join(out, 'train')}.md and .json`)

function versionOf(name: string): string {
  const entry = dirname(createRequire(import.meta.url).resolve(name))
  const folder = entry.slice(0, entry.lastIndexOf(name) + name.length)
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
}
