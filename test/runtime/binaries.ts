// The WebAssembly binaries: which one is taken and from where, that they agree, and that the runtime is complete by itself.
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, posix, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { transformSync } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { places } from '../../runtime/beside.js'
import { env, InferenceSession, Tensor, type WasmFile } from '../../runtime/index.js'
import { compileModel } from '../support/cairn.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite('binaries')
const folder = join(root, 'dist', 'runtime')
const files = Object.keys(places) as WasmFile[]
const builder = new ModelBuilder(new Random('binaries'))
const file = compileModel(
  builder.output(builder.add('Relu', [builder.input([1, 2], 'float32', [-1, 1], 'x')])).encode()
)

async function check(): Promise<void> {
  for (const numThreads of [1, 2]) {
    const session = await InferenceSession.create(file, { numThreads })
    const results = await session.run({ x: new Tensor('float32', [-1, 3], [1, 2]) })
    assert.equal(results[builder.outputs[0]].data, Float32Array.of(0, 3))
    await session.release()
  }
}

const refuses = (message: RegExp) => rejects(check, message)

test.after.each(() => {
  delete env.wasm.wasmPaths
  delete env.wasm.binary
})

test('the files may lie elsewhere: a folder, URLs of a folder, a place for each', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'cairn-'))
  try {
    for (const name of files) copyFileSync(join(folder, name), join(elsewhere, name))
    env.wasm.wasmPaths = elsewhere + sep
    await check()
    env.wasm.wasmPaths = `${pathToFileURL(elsewhere)}/`
    await check()
    env.wasm.wasmPaths = Object.fromEntries(files.map(name => [name, pathToFileURL(join(elsewhere, name))]))
    await check()
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
  env.wasm.wasmPaths = `${elsewhere + sep}nothing`
  await refuses(/wasm: cannot load .*nothing\/cairn/)
})

test('they are fetched from servers, whatever type these say', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const [, kind, name] = request.url!.split('/')
    asked.push(request.url!)
    if (kind === 'missing') return response.writeHead(404).end()
    return response
      .writeHead(200, { 'content-type': kind === 'right' ? 'application/wasm' : 'application/octet-stream' })
      .end(readFileSync(join(folder, name)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    for (const kind of ['right', 'wrong']) {
      env.wasm.wasmPaths = `http://127.0.0.1:${port}/${kind}/`
      await check()
      await check()
    }
    assert.is(asked.length, 4, 'each once')
    env.wasm.wasmPaths = `http://127.0.0.1:${port}/missing/`
    await refuses(/wasm: cannot load .*missing.*: status 404;/)
  } finally {
    server.close()
  }
})

test('kernels are fetched while the model is still on its way', async () => {
  const server = createServer((request, response) => response.end(readFileSync(join(folder, request.url!))))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const asked = new Promise((resolve, reject) => {
    server.on('request', resolve)
    setTimeout(() => reject(new Error('the kernels wait for the model')), 10_000).unref()
  })
  try {
    env.wasm.wasmPaths = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const body = new ReadableStream({
      async start(model) {
        await asked
        model.enqueue(file)
        model.close()
      }
    })
    await (await InferenceSession.create(new Response(body))).release()
  } finally {
    server.close()
  }
})

test('quantised models alone ask for the kernels on bytes', async () => {
  const m = new ModelBuilder(new Random('binaries, bytes'), 17)
  const levels = [m.scalar(0.5), m.constant({ dtype: 'uint8', dims: [], data: [3] })]
  const integers = m.add('QuantizeLinear', [m.input([1, 2]), ...levels])
  const quantised = compileModel(m.output(m.add('DequantizeLinear', [integers, ...levels])).encode())
  const [floats, bytes] = await Promise.all(
    ['cairn.wasm', 'cairn-more.wasm'].map(name => WebAssembly.compile(readFileSync(join(folder, name))))
  )
  for (const [given, whole] of [
    [floats, false],
    [bytes, true]
  ] as const) {
    env.wasm.wasmPaths = given
    await (await InferenceSession.create(file)).release()
    const create = async () => (await InferenceSession.create(quantised)).release()
    if (whole) await create()
    else await rejects(create, /is one without int8 or training; cairn-more\S*\.wasm is needed/)
  }
})

test('the plain one can be asked for, and another kind is refused', async () => {
  env.wasm.binary = 'simd'
  await check()
  env.wasm.binary = 'fast' as 'simd'
  await refuses(/env.wasm.binary is "fast"; "simd" and "relaxed" are allowed/)
})

/** Flags under which this engine runs relaxed SIMD, if it can. */
function relaxedFlags(): string[] | undefined {
  const script = `process.exit(WebAssembly.validate(require('fs').readFileSync(process.argv[1])) ? 0 : 1)`
  return [[], ['--experimental-wasm-relaxed-simd']].find(flags => {
    try {
      execFileSync(process.execPath, [...flags, '-e', script, join(folder, 'cairn-relaxed.wasm')], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

const flags = relaxedFlags()
for (const binary of ['simd', 'relaxed', 'wide']) {
  const name = `operator cases on the ${binary} binary`
  if (!flags) {
    skip(name, 'this engine has no relaxed SIMD')
    continue
  }
  for (const [only, least] of [
    ['conv', 200],
    ['winograd', 200],
    ['gemm', 200],
    ['epilogue', 50]
  ] as const)
    test(`${name}: ${only}`, async () => {
      const options = { env: { ...process.env, CAIRN_BINARY: binary, CAIRN_ONLY: only }, timeout: 120_000 }
      const run = [...flags, join(root, 'dist', 'test', 'run.js'), 'ops']
      const { stdout } = await promisify(execFile)(process.execPath, run, options)
      const [, passed, failed] = /(\d+) passed, (\d+) failed, \d+ skipped\s*$/.exec(stdout)!.map(Number)
      assert.is(failed, 0)
      assert.ok(passed > least)
    })
}

test('what is shipped of the runtime needs nothing but itself', () => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => name.replaceAll('\\', '/'))
  for (const name of files) assert.ok(names.includes(name), name)
  for (const name of names.filter(name => name.endsWith('.js') && !/^(webgpu|train)\//.test(name))) {
    // The build makes modules small; spelled out they are told by lines.
    const { code: whole } = transformSync(readFileSync(join(folder, name), 'utf8'), { target: 'es2022' })
    // What not everybody needs is in files of its own; bundles hold all, and ask for Dawn by its name.
    const later = name.endsWith('.min.js') ? /\bimport\(\w+\)/g : /\bimport\("(\.[\w./-]+)"\)/g
    for (const [, file] of whole.matchAll(later))
      assert.ok(!file || names.includes(posix.join(dirname(name), file)), `${name} loads ${file}`)
    const text = whole.replace(later, '')
    const imports = [...text.matchAll(/^(?:import|export)\b(?:[^"]* from )?\s*"([^"\n]+)"/gm)].map(m => m[1])
    // The compiler's worker lies among the runtime's, but is of the stand-in for onnxruntime and no use without it.
    if (name === 'compile-worker.js') assert.equal(imports.splice(0), ['../ort/compile/work.js'])
    for (const each of imports)
      assert.ok(each.startsWith('.') && names.includes(posix.join(dirname(name), each)), `${name} imports ${each}`)
    assert.not.match(text, /\bimport\(|\brequire\(|\beval\(|new Function\(|createObjectURL/, name)
    for (const [, url] of text.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g))
      assert.ok(names.includes(url.slice(2)), `${name} refers to ${url}`)
  }
})

test.run()
