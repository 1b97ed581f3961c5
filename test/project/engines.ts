// Bun and Deno where they are installed, or where `npm run test:engines` has fetched them: the runtime with its threads
// and workers, and the command line, give what Node gives. That command runs the whole CPU part of the suite there.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { zoo } from '../../models/index.js'
import { compileModel } from '../support/cairn.js'
import { errorOf, tolerance } from '../support/compare.js'
import { type Engine, findEngine } from '../support/host/engines.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'
import type { EngineRun } from './engine/run.js'

const test = suite('engines')

const folder = mkdtempSync(join(tmpdir(), 'cairn-engines-'))
const [model, compiled, own] = ['model.onnx', 'model.cairn', 'own.cairn'].map(name => join(folder, name))
const onnx = zoo['resnet20-cifar'].build()
writeFileSync(model, onnx)
writeFileSync(compiled, compileModel(onnx))

const here: Engine = { name: 'node', program: process.execPath, flags: [], version: process.versions.node }

/** What a script of the build prints; it has to end by itself. */
function printed({ program, flags }: Engine, script: string, ...args: string[]): string {
  const options = { encoding: 'utf8' as const, timeout: 60_000 }
  return execFileSync(program, [...flags, join(root, 'dist', script), ...args], options)
}

const runsOf = (engine: Engine): EngineRun[] => JSON.parse(printed(engine, 'test/project/engine/run.js', compiled))

let expected: EngineRun[] | undefined

for (const name of ['bun', 'deno'] as const) {
  const engine = findEngine(name)
  if (!engine) {
    skip(`a model with threads in ${name}`, 'it is not installed; npm run test:engines fetches it')
    continue
  }
  test(`${name} ${engine.version} runs a model as Node does, on threads and in workers`, () => {
    expected ??= runsOf(here)
    const [best, ...plain] = runsOf(engine)
    assert.equal(plain, expected.slice(1))
    assert.equal(
      plain.map(({ threads }) => threads),
      [1, 3, 2]
    )
    const numbersOf = ({ output }: EngineRun) => ({ dtype: 'float32' as const, dims: [4, 10], data: output })
    const { error, what } = errorOf(numbersOf(best), numbersOf(expected[1]))
    assert.ok(error <= tolerance, what)
  })

  test(`${name} ${engine.version} compiles and runs from the command line`, () => {
    printed(engine, 'cli/index.js', 'compile', model, '-o', own)
    assert.equal(readFileSync(own), readFileSync(compiled))
    const args = ['run', own, '--random', '1', '--threads', '2', '--json']
    const { device, threads, runs } = JSON.parse(printed(engine, 'cli/index.js', ...args))
    assert.equal([device, threads, runs[0].outputs[0].dims], ['wasm', 2, [1, 10]])
  })
}

test.after(() => rmSync(folder, { recursive: true }))
test.run()
