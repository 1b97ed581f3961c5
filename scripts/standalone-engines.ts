// `npm run bench:standalone [MODEL...]`: models as modules on every engine that is here, each of which runs the module's own
// check, and how long they take; then how long a module takes to its first result beside a session, a page with a module beside one
// with onnxruntime-web, and a worker. What is not here is named and left out. Models are names of the zoo or ONNX files.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { oneLine, table } from '../cli/terminal/index.js'
import { compile } from '../compiler/index.js'
import { standaloneOf } from '../compiler/standalone/index.js'
import { zoo } from '../models/index.js'
import { type EngineName, engineNames, findEngine } from '../test/support/host/engines.js'
import { root } from '../test/support/root.js'
import { type Answer, inChromium, inFirefox, inWorkerd, siteOf } from './standalone/pages.js'
import type { Found } from './standalone/trial.js'

const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'))
const file = join(folder, 'model.wasm')
const cairn = join(folder, 'model.cairn')
const child = join(root, 'dist', 'scripts', 'standalone-child.js')

/** What a program prints; throws with what it says where it fails. */
function output(program: string, ...args: string[]): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `ended by ${signal ?? status}`)
  return stdout
}

const versionOf = (program: string) => /\d+\.\d+(\.\d+)?/.exec(output(program, '--version'))?.[0] ?? ''

const python = `import sys, time
from importlib.metadata import version
from wasmtime import Engine, Instance, Module, Store
began = time.perf_counter()
store = Store(Engine())
e = Instance(store, Module.from_file(store.engine, sys.argv[1]), []).exports(store)
e["run"](store)
first = time.perf_counter() - began
least = 1e9
for _ in range(20):
    start = time.perf_counter()
    e["run"](store)
    least = min(least, time.perf_counter() - start)
print('{"check": %d, "first": %f, "run": %f, "version": "%s"}' % (e["check"](store), first * 1e3, least * 1e3, version("wasmtime")))`

/** wasm-interp calls all exports, of which it has no more to tell than what they return. */
function interpreted(): Partial<Found> {
  const began = performance.now()
  const text = output('wasm-interp', file, '--run-all-exports')
  return { check: Number(/check\(\) => i32:(\d+)/.exec(text)?.[1] ?? -1), first: performance.now() - began }
}

/** As C, by a wasm2c that translates SIMD (CAIRN_WASM2C, or the one in reach), and the machine's compiler. */
function asC(): Partial<Row> {
  const wasm2c = process.env.CAIRN_WASM2C ?? 'wasm2c'
  const c = join(folder, 'module.c')
  const program = join(folder, 'module')
  const own = join(root, 'scripts', 'standalone')
  output(wasm2c, file, '-n', 'model', '-o', c)
  if (!existsSync(c)) throw new Error('this wasm2c ends without a word, as older ones do where a module has SIMD')
  output('cc', '-O3', '-march=native', '-w', `-I${own}`, `-I${folder}`, join(own, 'wasm2c.c'), c, '-lm', '-o', program)
  return JSON.parse(output(program))
}

type Row = { readonly engine: string } & Partial<Found> & { readonly error?: string }

async function row(engine: string, work: () => Promise<Partial<Row>> | Partial<Row>): Promise<Row> {
  try {
    return { engine, ...(await work()) }
  } catch (error) {
    return { engine, error: (error as Error).message }
  }
}

const milliseconds = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))
const works = ({ check, error }: Row) => error ?? (check === 0 ? 'works' : `layer ${check} is off`)

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Medians of so many rounds, in each of which all are measured, one behind the other. */
async function inTurn(rounds: number, measures: readonly (() => Promise<number>)[]): Promise<number[]> {
  const found: number[][] = measures.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, measure] of measures.entries()) found[i].push(await measure())
  return found.map(median)
}

function coldOf({ cold, error }: Answer): number {
  if (cold === undefined) throw new Error(error)
  return cold
}

/** Prints what was found, or why nothing was. */
async function section(title: string, find: () => Promise<string>): Promise<void> {
  try {
    console.log(`\n${title}: ${await find()}`)
  } catch (error) {
    console.log(`\n${title}: not known: ${oneLine(error)}`)
  }
}

const given = process.argv.slice(2)
for (const name of given.length ? given : ['lenet5', 'mobilenet-v2']) {
  const onnx = zoo[name]?.build({ batch: 1 }) ?? readFileSync(name)
  const module = (await compile(onnx, { target: 'wasm', golden: true })) as Uint8Array<ArrayBuffer>
  writeFileSync(file, module)
  const site = await siteOf(module, onnx, standaloneOf(module)!.inputs[0].shape)
  const rows = [await row(`Node ${process.versions.node}`, () => JSON.parse(output(process.execPath, child, file)))]
  for (const engine of engineNames as EngineName[]) {
    const found = findEngine(engine)
    if (!found || found.version === process.versions.node) continue
    const { program, flags, version } = found
    rows.push(await row(`${engine} ${version}`, () => JSON.parse(output(program, ...flags, child, file))))
  }
  rows.push(
    await row('Chromium', async () => {
      const { version, answer } = await inChromium(site, '/trial')
      return { ...answer, engine: `Chromium ${version}` }
    }),
    await row('Firefox', async () => ({
      ...(await inFirefox(site, '/trial')),
      engine: `Firefox ${versionOf('firefox')}`
    })),
    await row('workerd', () => inWorkerd(module)),
    await row('wasmtime', () => {
      const { version, ...found } = JSON.parse(output(process.env.CAIRN_PYTHON ?? 'python3', '-c', python, file))
      return { ...found, engine: `wasmtime ${version}` }
    }),
    await row('wabt wasm-interp', () => ({ ...interpreted(), engine: `wasm-interp ${versionOf('wasm-interp')}` })),
    await row('wabt wasm2c', asC)
  )
  const cells = rows.map(each => [each.engine, works(each), milliseconds(each.first), milliseconds(each.run)])
  const header = ['engine', 'works', 'start and first run, ms', 'run, ms']
  console.log(
    `\n${basename(name)}, ${module.length} bytes\n\n${table(header, cells, ['left', 'left', 'right', 'right'])}`
  )
  await section(
    'from bytes to the first result in a new process of this Node, median of 7, the two in turn',
    async () => {
      writeFileSync(cairn, await compile(onnx))
      const { inputs } = standaloneOf(module)!
      const shapes = JSON.stringify(Object.fromEntries(inputs.map(({ name, shape }) => [name, shape])))
      const start = (...args: string[]) => JSON.parse(output(process.execPath, child, ...args)).first as number
      const [own, session] = await inTurn(7, [async () => start(file), async () => start(cairn, shapes)])
      return `${own.toFixed(1)} ms the module, ${session.toFixed(1)} ms an InferenceSession: ${(session / own).toFixed(2)} times`
    }
  )
  await section('in a page of a new browser, median of 5, the two in turn', async () => {
    const whole: number[][] = [[], []]
    const start = (path: string, at: number) => async () => {
      const { answer } = await inChromium(site, path)
      whole[at].push(answer.whole ?? Number.NaN)
      return coldOf(answer)
    }
    const [own, ort] = await inTurn(5, [start('/cold', 0), start('/cold-ort', 1)])
    const [ownWhole, ortWhole] = whole.map(median)
    const text = (a: number, b: number) =>
      `${a.toFixed(1)} ms the module, ${b.toFixed(1)} ms onnxruntime-web: ${(b / a).toFixed(1)} times`
    return `from its script to the first result ${text(own, ort)}; from when the page was asked for ${text(ownWhole, ortWhole)}`
  })
  await section('from a new workerd to its first result, median of 5, the two in turn', async () => {
    const start = (what: 'once' | 'nothing') => async () => coldOf(await inWorkerd(module, what))
    const [own, nothing] = await inTurn(5, [start('once'), start('nothing')])
    return `${own.toFixed(1)} ms, ${nothing.toFixed(1)} ms to an answer without the model; onnxruntime-web does not start there`
  })
  await site.close()
}
rmSync(folder, { recursive: true, force: true })
