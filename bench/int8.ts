// Quantised networks: Cairn's layers of bytes against its own float32, onnxruntime-web's and onnxruntime-node's on the same QDQ file,
// and onnxruntime-node's float32; outputs are compared first, then all take turns in one process.
// `npm run bench:int8 [networks] [-- --threads N --seconds S --activations uint8|int8 --per-tensor]`; without any of them it writes
// bench/results/int8-nodeNN.md.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import ort from 'onnxruntime-node'
import {
  type EngineName,
  geometricMean,
  interleave,
  openOn,
  ratioOf,
  showSpread,
  spreadOf,
  subjectOf,
  worstOf
} from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { zoo } from '../models/index.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { quantizedModel } from './int8/qdq.js'
import { inputShape, network, pickNetworks } from './networks.js'

const { values, positionals, given } = readArguments(
  'npm run bench:int8 -- [networks] [--threads N] [--seconds S] [--activations uint8|int8] [--per-tensor]',
  { threads: '1', seconds: '8', activations: 'uint8' },
  ['per-tensor']
)
const threads = numberOf('threads', values.threads, 1)
const seconds = numberOf('seconds', values.seconds, 0.1, false)
if (values.activations !== 'uint8' && values.activations !== 'int8')
  fail(`--activations ${values.activations}: uint8 and int8 are allowed`)
const activations = values.activations as 'uint8' | 'int8'
const perChannel = !given.has('per-tensor')

const usual = [
  ...['mobilenet-v2', 'mobilenet-v3-large', 'efficientnet-b0', 'resnet18', 'resnet50', 'squeezenet1.1', 'googlenet'],
  ...['densenet121', 'inception-v3']
]

/** A tie that rounds otherwise in one layer moves later ones by steps; the whole range is 255. */
const tolerance = 0.06

const noise = (shape: readonly number[]) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() * 2 - 1)

/** The engines against Cairn on bytes, in the columns of the table. */
const columns = ['Cairn, float32', 'onnxruntime-web', 'onnxruntime-node', 'onnxruntime-node, float32'] as const
const ratios = columns.map((): number[] => [])
const rows: string[][] = []
const header = ['network', 'Cairn, ms', ...columns, 'file, KB', 'error']

for (const name of pickNetworks(positionals, usual)) {
  const float = network(name)
  const [input] = float.feeds
  const calibration = [0, 1].map(() => ({
    [input.name]: new ort.Tensor('float32', noise(inputShape(name)), inputShape(name))
  }))
  const onnx = await quantizedModel(zoo[name].build({ batch: 1 }), calibration, { activations, perChannel })
  const bytes = { ...subjectOf(name, onnx), feeds: float.feeds }
  const options = { threads }
  const own = await openOn('cairn', bytes, options)
  const expected = await own.run()
  const opened = [own, await openOn('cairn', float, options)]
  let error = 0
  for (const [engine, subject] of [
    ['ort-web', bytes],
    ['ort-node', bytes],
    ['ort-node', float]
  ] as const satisfies [EngineName, typeof bytes][]) {
    const peer = await openOn(engine, subject, options)
    if (subject === bytes) error = Math.max(error, worstOf(expected, await peer.run()).relative)
    opened.push(peer)
  }
  if (error > tolerance) fail(`${name}: outputs differ by ${error.toExponential(1)} of their maximum`)
  const times = await interleave(opened, { seconds })
  for (const each of opened) await each.release()
  const own8 = spreadOf(times[0])
  const against = times.slice(1).map(other => ratioOf(times[0], other).median)
  against.forEach((ratio, i) => ratios[i].push(ratio))
  rows.push([
    name,
    showSpread(own8),
    ...against.map(ratio => ratio.toFixed(2)),
    `${(bytes.file.length / 1000).toFixed(0)} of ${(float.file.length / 1000).toFixed(0)}`,
    error.toExponential(0)
  ])
  console.log(`${name}: ${rows.at(-1)!.slice(1).join('  ')}`)
}
rows.push(['geometric mean', '', ...ratios.map(list => geometricMean(list).toFixed(2)), '', ''])
const ratioNote = `ratios say how many times as long as Cairn on bytes; ${activations} activations, weights for each ${perChannel ? 'filter' : 'tensor'}, ${threads} thread${threads > 1 ? 's' : ''}, Node ${process.versions.node}`
console.log(`\n${table(header, rows, ['left', ...header.slice(1).map(() => 'right' as const)])}\n${ratioNote}`)

if (process.argv.length === 2) {
  const [major] = process.versions.node.split('.')
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  writeFileSync(
    fileURLToPath(new URL(`../../bench/results/int8-node${major}.md`, import.meta.url)),
    `# Quantised networks on Node ${process.versions.node}

Written by \`npm run bench:int8\`. ${cpus()[0].model.trim()}; ${ratioNote}.
Models are quantised as onnxruntime's quantize_static does (QDQ); outputs are compared first, *error* is what they differ by at
most, as a share of their maximum.

${[row(header), row(header.map((_, i) => (i ? '---:' : '---'))), ...rows.map(row)].join('\n')}
`
  )
}
process.exit(0)
