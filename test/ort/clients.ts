// Programs that know onnxruntime-web alone, with the package cairnjs-ort in its place: as ES module, by require, in TypeScript.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assertClose } from '../support/compare.js'
import { sample } from '../support/ort/sample.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`clients of onnxruntime (seed ${baseSeed})`)
const random = new Random('ort clients')
const project = mkdtempSync(join(tmpdir(), 'cairn-clients-'))
const modules = join(project, 'node_modules')
const run = promisify(execFile)

test.before(() => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of ['package.json', ...files.filter((name: string) => /^dist\/(?!web)/.test(name))])
    cpSync(join(root, file), join(modules, 'cairnjs', file), { recursive: true })
  for (const name of ['onnxruntime-web', 'onnxruntime-node'])
    cpSync(join(root, 'ort', 'package'), join(modules, name), { recursive: true })
  symlinkSync(join(root, 'node_modules', 'onnxruntime-common'), join(modules, 'onnxruntime-common'), 'junction')
  writeFileSync(join(project, 'model.onnx'), model)
  writeFileSync(join(project, 'input.json'), JSON.stringify(Array.from(feeds[input].data)))
})
test.after(() => rmSync(project, { recursive: true }))

const { model, input, feeds, expected } = await sample(random)

test('the package for overrides goes with this version', () => {
  const [own, theirs] = ['.', 'ort/package'].map(folder =>
    JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  )
  assert.equal([theirs.version, theirs.dependencies], [own.version, { [own.name]: own.version }])
})

const program = (file: string, data: string) => `
  const session = await ort.InferenceSession.create(${file}, { executionProviders: ['cpu'] })
  const input = new ort.Tensor('float32', Float32Array.from(${data}), [1, 3, 9, 7])
  const results = await session.run({ [session.inputNames[0]]: input })
  const { dims, data } = results[session.outputNames[0]]
  console.log(JSON.stringify({ dims, data: [...data] }))
`

const files = {
  'import.mjs': `import fs from 'node:fs'
import * as ort from 'onnxruntime-web'
import all from 'onnxruntime-web/all'
import { InferenceSession } from 'onnxruntime-web/wasm'
if (InferenceSession !== ort.InferenceSession || all.Tensor !== ort.Tensor) throw new Error('not one module')
${program("'model.onnx'", "JSON.parse(fs.readFileSync('input.json'))")}`,
  'require.cjs': `const fs = require('node:fs')
const ort = require('onnxruntime-node')
if (require('onnxruntime-node/webgpu').Tensor !== ort.Tensor || ort.default.env !== ort.env) throw new Error('not one module')
void (async () => {
${program("fs.readFileSync('model.onnx')", "JSON.parse(fs.readFileSync('input.json'))")}
})()`
}

for (const [name, text] of Object.entries(files))
  test(`a program runs unchanged: ${name}`, async () => {
    writeFileSync(join(project, name), text)
    const env = { ...process.env, XDG_CACHE_HOME: project, LOCALAPPDATA: project }
    const { stdout, stderr } = await run(process.execPath, [name], { cwd: project, env })
    assert.is(stderr, '')
    const [output] = Object.keys(expected)
    assertClose({ [output]: { dtype: 'float32', ...JSON.parse(stdout) } }, expected, 1e-5)
  })

const client = `import * as ort from 'onnxruntime-web'
import { env, InferenceSession, Tensor, type TypedTensor } from 'onnxruntime-web/webgpu'

env.wasm.numThreads = 2
env.wasm.wasmPaths = { wasm: '/ort.wasm' }
env.logLevel = 'error'
const options: ort.InferenceSession.SessionOptions = {
  executionProviders: ['webgpu', { name: 'wasm' }],
  graphOptimizationLevel: 'all',
  freeDimensionOverrides: { batch: 1 },
  preferredOutputLocation: { scores: 'gpu-buffer' },
  extra: { session: { disable_prepacking: '1' } }
}

export async function classify(pixels: ImageData): Promise<Float32Array> {
  const session: InferenceSession = await InferenceSession.create('model.onnx', options)
  const tensor = await Tensor.fromImage(pixels, { tensorLayout: 'NCHW', norm: { mean: 255, bias: 0 } })
  const ids: TypedTensor<'int64'> = new ort.Tensor('int64', [1n, 2n], [2])
  const feeds: InferenceSession.FeedsType = { pixels: tensor, ids }
  const fetches: Record<string, ort.Tensor | null> = { scores: null }
  const results: ort.InferenceSession.OnnxValueMapType = await session.run(feeds, fetches, { tag: 'a' })
  const [first] = session.outputMetadata
  if (first.isTensor && first.shape[0] === 'batch') session.endProfiling()
  const { scores } = results
  const data = await scores.getData(true)
  scores.dispose()
  await session.release()
  return data as Float32Array
}

export const wrong: number = ort.env.versions.common
`

for (const [name, module, moduleResolution] of [
  ['client.mts', 'nodenext', 'nodenext'],
  ['client.cts', 'nodenext', 'nodenext'],
  ['client.ts', 'esnext', 'bundler']
] as const)
  test(`a client compiles under --strict: ${name}, ${moduleResolution}`, async () => {
    writeFileSync(join(project, name), client)
    const config = {
      compilerOptions: {
        ...{ target: 'es2022', module, moduleResolution, lib: ['es2023', 'dom'], types: [] },
        ...{ strict: true, noEmit: true, skipLibCheck: false }
      },
      files: [name]
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout } = await run(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { cwd: project }).catch(
      error => error as { stdout: string }
    )
    const found = stdout.split('\n').filter(line => /error TS/.test(line))
    // One is meant, so that a compiler that looks at nothing does not pass.
    assert.match(found[0] ?? '', /^client\.\w+\(\d+,14\): error TS2322/)
    assert.equal(found.slice(1), [])
  })

test.run()
