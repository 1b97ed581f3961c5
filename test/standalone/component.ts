// Models as components: jco, which is not ours, makes JavaScript of them, and `infer` gives the bits of the session.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transpileBytes } from '@bytecodealliance/jco-transpile'
import { componentEmbed, print } from '@bytecodealliance/jco-transpile/wasm-tools'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile } from '../../compiler/index.js'
import { standaloneOf, witOf } from '../../compiler/standalone/index.js'
import { env, InferenceSession, Tensor } from '../../runtime/index.js'
import { commandLine } from '../support/host/command-line.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`standalone components (seed ${baseSeed})`)
const random = new Random('standalone component')
const folder = mkdtempSync(join(tmpdir(), 'cairn-component-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

type List = ArrayLike<number | bigint | boolean>
interface Inference {
  infer(inputs: Record<string, List>): Record<string, { shape: Uint32Array; data: List }>
}

const toWasm = (model: Uint8Array, dims = {}) => compile(model, { target: 'wasm', component: true, dims })

/** What the component exports, in JavaScript. */
async function started(component: Uint8Array, name: string): Promise<Inference> {
  const { files } = await transpileBytes(component, { name, instantiation: 'async' })
  for (const [file, bytes] of Object.entries(files as Record<string, Uint8Array>)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), bytes)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const { instantiate } = await import(pathToFileURL(join(folder, `${name}.js`)).href)
  const core = (file: string) => WebAssembly.compile(readFileSync(join(folder, file)))
  return (await instantiate(core, {}))['cairn:model/inference']
}

/** The session's results in the order of the model. */
async function wanted(model: Uint8Array, feeds: Record<string, Tensor>): Promise<Tensor[]> {
  // The component's instructions: fused multiply-add rounds once where these round twice.
  env.wasm.binary = 'simd'
  const options = { executionProviders: ['wasm'], numThreads: 1 } as const
  const session = await InferenceSession.create(await compile(model), options).finally(() => delete env.wasm.binary)
  const results = await session.run(feeds)
  await session.release()
  return session.outputNames.map(name => results[name])
}

test('lists of any type go in and come out, with the bits of the session', async () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 2, 4, 4], 'float32', [-1, 1], 'input.1')
  const rows = m.input([3], 'int64', [0, 4], '2nd Rows')
  const y = m.add('Conv', [x, m.weights([5, 2, 3, 3])], { pads: [1, 1, 1, 1] })
  m.output(y)
  m.output(m.add('Gather', [m.weights([5, 2]), rows], { axis: 0 }))
  m.output(m.add('NonZero', [m.add('Relu', [y])]))
  const model = m.output(m.add('Greater', [y, m.scalar(0)])).encode()
  const component = await toWasm(model, { N: 1 })
  assert.match(await print(component), /\(export \(;1;\) "cairn:model\/inference" \(instance 0\)\)/)
  const { infer } = await started(component, 'mixed')
  for (let trial = 0; trial < 2; trial++) {
    const floats = Float32Array.from({ length: 32 }, () => random.uniform(-1, 1))
    const numbers = BigInt64Array.from({ length: 3 }, () => BigInt(random.int(-5, 4)))
    const results = await wanted(model, {
      'input.1': new Tensor('float32', floats, [1, 2, 4, 4]),
      '2nd Rows': new Tensor('int64', numbers, [3])
    })
    const found = Object.values(infer({ input1: floats, ndRows: numbers }))
    found.forEach(({ shape, data }, i) => {
      assert.equal([...shape], results[i].dims)
      assert.equal(Array.from(data, Number), Array.from(results[i].data as ArrayLike<number>, Number))
    })
    // What is refused takes no memory from later calls.
    const refused = (inputs: Record<string, List>, pattern: RegExp) => {
      try {
        infer(inputs)
      } catch (error) {
        return assert.match(String((error as { payload?: string }).payload ?? error), pattern)
      }
      assert.unreachable()
    }
    refused({ input1: new Float32Array(100_000), ndRows: numbers }, /^input "input\.1" takes 32 elements$/)
    refused({ input1: floats, ndRows: BigInt64Array.of(0n, 5n, 0n) }, /^Gather .*index is out of range for axis 0 of 5/)
  }
})

test('more inputs than parameters are read from memory, and the interface is what other tools read', async () => {
  const m = new ModelBuilder(random)
  const names = Array.from({ length: 9 }, () => m.input([2, 3], 'float32', [-1, 1]))
  const model = m.output(m.add('Sum', names)).encode()
  const component = await toWasm(model)
  const lists = names.map(() => Float32Array.from({ length: 6 }, () => random.uniform(-1, 1)))
  const feeds = Object.fromEntries(names.map((name, i) => [name, new Tensor('float32', lists[i], [2, 3])]))
  const [{ data }] = await wanted(model, feeds)
  const { infer } = await started(component, 'sum')
  const keys = [...witOf(standaloneOf(component)!).matchAll(/ {4}%(\w+): list/g)].map(([, label]) => label)
  const [found] = Object.values(infer(Object.fromEntries(keys.map((key, i) => [key, lists[i]]))))
  assert.equal(found.data, data)
  const binary = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
  await componentEmbed({ binary, witSource: witOf(standaloneOf(component)!), world: 'model' })
  await rejects(
    () => compile(model, { target: 'wasm', component: true, wasi: true }),
    /is no component; one/,
    CompileError
  )
})

test('the command line writes a component with its interface, and takes it again', () => {
  const m = new ModelBuilder(random)
  writeFileSync(join(folder, 'm.onnx'), m.output(m.add('Relu', [m.input([4], 'float32', [-1, 1])])).encode())
  const cairn = commandLine(folder)
  const { status, stdout, stderr } = cairn(
    ...['compile', 'm.onnx', '-o', 'm.wasm', '--component', '--golden', '--json']
  )
  assert.is(status, 0, stderr)
  assert.equal(JSON.parse(stdout).besides, ['m.wit'])
  assert.match(readFileSync(join(folder, 'm.wit'), 'utf8'), /infer: func\(inputs: inputs\) -> result<outputs, string>;/)
  assert.match(cairn('inspect', 'm.wasm').stdout, /a WebAssembly component of its own/)
  assert.match(cairn('verify', 'm.wasm').stdout, /none diverges/)
  // Cut where the length of its module would stand.
  const whole = readFileSync(join(folder, 'm.wasm'))
  for (const length of [8, 9, 10]) {
    writeFileSync(join(folder, 'cut.wasm'), whole.subarray(0, length))
    const cut = cairn('inspect', 'cut.wasm')
    assert.is(cut.status, 1)
    assert.match(cut.stderr, /^cairn: cut\.wasm.*\n$/)
  }
})

test.run()
