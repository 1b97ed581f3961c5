// The wide binary's trial, and that its kernels compute the same bits where the engine joins their vectors.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { packing } from '../../runtime/cpu/packing.js'
import { compileModel } from '../support/cairn.js'
import { manyKernels } from '../support/cases/many-kernels.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`wide (seed ${baseSeed})`)
const random = new Random('wide')

test('the functions of the trial add what they are told to', () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(packing))
  const words = new Float32Array((exports.memory as WebAssembly.Memory).buffer)
  for (const [name, gap] of [
    ['near', 4],
    ['apart', 8]
  ] as const) {
    words.forEach((_, i) => {
      words[i] = random.uniform(-1, 1)
    })
    const expected = words.slice()
    const at = 16
    for (let pair = 0; pair < 7; pair++)
      for (const half of [0, gap])
        for (let lane = 0; lane < 4; lane++)
          for (let i = 0; i < 5; i++) {
            const word = at + pair * 16 + half + lane
            expected[word] += words[at]
          }
    ;(exports[name] as (at: number, count: number) => void)(at * 4, 5)
    assert.equal(words, expected, name)
  }
})

/** Dense products with all that an epilogue does, of whole and of odd panels, deep and shallow sums. */
function products(): ModelBuilder {
  const m = new ModelBuilder(random)
  let x = m.input(['N', 40, 'H', 'W'])
  for (const [i, act] of ['Relu', 'HardSwish', 'Sigmoid', 'Softplus', 'LeakyRelu', 'Elu'].entries()) {
    const side = [1, 3, 3][i % 3]
    const [from, to] = [m.weights([40, 40, side, side], [-0.1, 0.1]), m.weights([40])]
    const conv = m.add('Conv', [x, from, to], {
      pads: Array(4).fill(side >> 1),
      ...(i === 2 ? { strides: [2, 2] } : {})
    })
    x = i % 2 && i !== 2 ? m.add('Add', [m.add(act, [conv]), x]) : m.add(act, [conv])
  }
  return m.output(m.add('Flatten', [m.add('Conv', [x, m.weights([21, 40, 1, 1]), m.weights([21])])]))
}

const name = 'an engine that joins vectors computes the same bits'
const flag = '--experimental-wasm-revectorize'
const knows = await promisify(execFile)(process.execPath, ['--v8-options']).catch(() => ({ stdout: '' }))
if (!knows.stdout.includes(flag) || process.arch !== 'x64') skip(name, `this engine has no ${flag}`)
else
  test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-wide-'))
    const url = (file: string) => JSON.stringify(pathToFileURL(join(root, 'dist', 'runtime', file)).href)
    try {
      const files = [products(), manyKernels(random)].map((model, i) => {
        const file = join(folder, `${i}.cairn`)
        writeFileSync(file, compileModel(model.encode()))
        return file
      })
      // Sessions compare their calls with the plain binary's themselves; here whole outputs, of threads too.
      const script = `
import { env, InferenceSession, Tensor } from ${url('index.js')}
import { widest } from ${url('cpu/wide.js')}
const results = {}
for (const wide of [false, 'auto', true]) for (const numThreads of [1, 2]) {
  env.wasm.wide = wide
  for (const file of ${JSON.stringify(files)}) {
    const session = await InferenceSession.create(file, { numThreads })
    const [{ name, shape }] = session.inputMetadata
    const dims = shape.map(size => typeof size === 'number' ? size : size === 'N' ? 2 : 21)
    const length = dims.reduce((a, b) => a * b)
    const data = Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + ${random.next()}))
    const out = await session.run({ [name]: new Tensor('float32', data, dims) })
    const bits = Object.values(out).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'))
    results[file] ??= bits.join()
    if (results[file] !== bits.join()) throw new Error(file + ' on ' + numThreads + ' threads')
    await session.release()
  }
}
const one = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
const [narrow, wider] = [one, new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))]
console.log(await widest(narrow, 'auto', async () => wider) === wider ? 'wide' : 'narrow')`
      for (const flags of [[], [flag]]) {
        const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', script])
        // Which it is hangs on the processor, and on how busy it is.
        assert.match(stdout.trim(), /^(wide|narrow)$/)
        console.log(`with ${flags.join() || 'env.wasm.wide'} the trial took the ${stdout.trim()} binary`)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

test.run()
