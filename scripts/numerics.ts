// Errors against double precision: the networks of the zoo, and the trained models beside the checkout where these are
// there, on each backend and on onnxruntime. `npm run bench:numerics [-- NETWORKS]` writes their rows of the
// table in docs/numerics.md. Needs an engine with relaxed SIMD (Node 22 or later) for all columns.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../bench/command/arguments.js'
import { fail } from '../bench/command/fail.js'
import {
  type EngineName,
  type EngineOptions,
  type Feed,
  type Output,
  openOn,
  orReason,
  type Subject
} from '../cli/measure/index.js'
import { bindDims, toNumbers } from '../cli/model/index.js'
import { drawInputs } from '../cli/verify.js'
import { build, type CompileOptions } from '../compiler/index.js'
import { zoo } from '../models/index.js'
import { encode, evaluate } from '../runtime/file/index.js'
import { env, InferenceSession } from '../runtime/index.js'
import { truthOf } from './truth.js'

interface Way {
  readonly title: string
  readonly engine: EngineName
  readonly binary?: 'simd' | 'relaxed'
  readonly compile?: CompileOptions
  readonly options?: Partial<EngineOptions>
}

const ways: readonly Way[] = [
  { title: 'wasm', engine: 'cairn', binary: 'simd' },
  { title: 'wasm, relaxed SIMD', engine: 'cairn', binary: 'relaxed' },
  { title: 'wasm, `--winograd 0`', engine: 'cairn', binary: 'simd', compile: { winograd: 0 } },
  { title: 'WebGPU, float32', engine: 'cairn', options: { device: 'webgpu', precision: 'f32' } },
  { title: 'onnxruntime-node', engine: 'ort-node' },
  { title: 'onnxruntime-web', engine: 'ort-web' }
]

interface Figures {
  /** Over the largest magnitude of the output; of several outputs the worst. */
  readonly most: number
  readonly mean: number
}

/** What a model is called and where its bytes come from. */
type Entry = readonly [name: string, bytes: () => Uint8Array]

/** Those that take the reference minutes, compared when they are named. */
const large = new Set([
  'alexnet-one-tower',
  'zfnet',
  'vgg11',
  'vgg13',
  'vgg16',
  'vgg19',
  'resnet101',
  'resnet152',
  'deeplab'
])

const shared = fileURLToPath(new URL('../../../shared/models', import.meta.url))
const trained = existsSync(shared) ? readdirSync(shared).filter(isComparable) : []
const all: readonly Entry[] = [
  ...Object.entries(zoo).map(([name, { build }]): Entry => [name, () => build()]),
  ...trained.map((file): Entry => [file.slice(0, -5), () => readFileSync(join(shared, file))])
]

/** Half precision rounds on its own, whatever computes it. */
function isComparable(file: string): boolean {
  return file.endsWith('.onnx') && !file.includes('fp16')
}

/** One picture; height and width are 64 where they are free, since SwiftShader and the reference take long. */
async function subjectOf(name: string, onnx: Uint8Array): Promise<Subject> {
  const { graph, program, summary } = build(onnx)
  const bindings = bindDims(program)
  const file = encode(program, summary)
  const session = await InferenceSession.create(file)
  const { feeds } = await drawInputs({ session, program, summary }, program.inputs, {}, bindings, 1)
  await session.release()
  const given = Object.entries(feeds).map(([name, { type, dims, data }]): Feed => ({ name, type, dims, data }))
  return { name, file, source: { onnx, graph }, bindings, feeds: given, macs: evaluate(program.macs, bindings) }
}

/** What a model computes in one of the ways, or a line that says why it does not. */
function outputsOf(way: Way, subject: Subject): Promise<readonly Output[] | string> {
  return orReason(async () => {
    const { engine, binary, compile, options } = way
    env.wasm.binary = binary
    const recompiled = compile && build(subject.source!.onnx, compile)
    const own = recompiled ? { ...subject, file: encode(recompiled.program, recompiled.summary) } : subject
    const opened = await openOn(engine, own, { threads: 1, ...options })
    const outputs = await opened.run()
    await opened.release()
    return outputs
  })
}

function figuresOf(outputs: readonly Output[], truth: ReadonlyMap<string, Float64Array>): Figures {
  const each = outputs.map((output): Figures => {
    const expected = truth.get(output.name)!
    const values = toNumbers(output)
    let [largest, most, sum] = [0, 0, 0]
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs(values[i] - expected[i])
      largest = Math.max(largest, Math.abs(expected[i]))
      most = Math.max(most, error)
      sum += error
    }
    return { most: most / largest, mean: sum / expected.length / largest }
  })
  return each.reduce((worst, next) => (next.most > worst.most ? next : worst))
}

const usage = 'npm run bench:numerics -- [NETWORKS]'
const { positionals } = readArguments(usage, {})
if (Number(process.versions.node.split('.')[0]) < 22) fail('relaxed SIMD takes Node 22 or later')
for (const name of positionals)
  if (!all.some(([known]) => known === name))
    fail(`no network "${name}"; ${all.map(([n]) => n).join(', ')} are allowed`)

const show = (value: number) => (value === 0 ? '0' : value.toExponential(1))
for (const [name, bytes] of all) {
  if (positionals.length ? !positionals.includes(name) : large.has(name)) continue
  const onnx = bytes()
  const subject = await subjectOf(name, onnx)
  const truth = truthOf(onnx, subject.feeds, subject.bindings)
  const cells: string[] = []
  for (const way of ways) {
    const outputs = await outputsOf(way, subject)
    if (typeof outputs === 'string') {
      console.log(`${name}, ${way.title}: ${outputs}`)
      cells.push('–')
      continue
    }
    const { most, mean } = figuresOf(outputs, truth)
    cells.push(`${show(most)} (${show(mean)})`)
  }
  console.log([name, ...cells].join('  '))
  write(name, `| ${[name, ...cells].join(' | ')} |`)
}
// Peers leave worker threads behind.
process.exit(0)

/** Puts a row into the table of docs/numerics.md, in the order of the networks. */
function write(name: string, row: string): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const page = fileURLToPath(new URL('../../docs/numerics.md', import.meta.url))
  const [begin, end] = ['<!-- npm run bench:numerics -->', '<!-- end -->']
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
  const known = text.slice(from, to).split('\n')
  const rows = new Map(known.map(each => [each.split(' | ')[0].replace(/^\| /, ''), each])).set(name, row)
  const header = ['network', ...ways.map(({ title }) => title)]
  const made = [
    line(header),
    line(header.map((_, i) => (i ? '---:' : '---'))),
    ...all.flatMap(([name]) => rows.get(name) ?? [])
  ]
  writeFileSync(page, `${text.slice(0, from)}\n\n${made.join('\n')}\n\n${text.slice(to)}`)
}
