// The plan before the download, and gates for builds: what inspect tells of a file's beginning, and what fails a build.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNullGpu } from '../../cli/device/gpu.js'
import { gpuNeeds } from '../../cli/report/gpu-needs.js'
import { compile, inspect } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { decodeHead } from '../../runtime/file/format.js'
import { env, InferenceSession, Tensor } from '../../runtime/index.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`gates (seed ${baseSeed})`)
const folder = mkdtempSync(join(tmpdir(), 'cairn-gates-'))
const cli = join(root, 'dist', 'cli', 'index.js')
const onnx = zoo['squeezenet1.1'].build()
const file = await compile(onnx)
let server: Server
let sent = 0

test.before(() => {
  writeFileSync(join(folder, 's.cairn'), file)
  writeFileSync(join(folder, 'head.cairn'), file.subarray(0, 65536))
})
test.after(() => {
  rmSync(folder, { recursive: true, force: true })
  server?.close()
})

async function cairn(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', data => (out += data))
  child.stderr.on('data', data => (err += data))
  const status = await new Promise<number | null>(done => child.on('close', done))
  return { status, out, err }
}

test('the first 64 KiB of a file tell its plan', async () => {
  const head = file.subarray(0, 65536)
  assert.ok(file.length > 20 * head.length)
  assert.equal(inspect(head), inspect(file))
  const [whole, part] = [await cairn('inspect', 's.cairn', '--json'), await cairn('inspect', 'head.cairn', '--json')]
  const [a, b] = [JSON.parse(whole.out), JSON.parse(part.out)]
  assert.equal({ ...b, model: '', file: 0 }, { ...a, model: '', file: 0 })
  assert.equal(b.file, { bytes: file.length, here: 65536 })
  assert.ok(b.memory.peak > file.length && b.limits.work > b.macs / 64 && b.limits.webgpu.pipelines > 2)
  const { out } = await cairn('inspect', 'head.cairn')
  assert.match(out, /file +[\d,]+ bytes, of which the first 65,536 are here/)
  assert.match(out, /WebGPU +\d+ pipelines, storage buffers of up to/)
  const run = await cairn('run', 'head.cairn', '--random', '1', '--device', 'wasm')
  assert.match(run.err, /^cairn: head\.cairn: file has 65536 bytes where its header asks for \d+; it is truncated/)
})

test('a URL is enough, of which only the beginning is taken, with or without ranges', async () => {
  server = createServer((request, response) => {
    const range = /^bytes=0-(\d+)$/.exec(request.headers.range ?? '')
    if (request.url === '/ranges.cairn' && range) {
      const part = file.subarray(0, Number(range[1]) + 1)
      sent = part.length
      response.writeHead(206, { 'content-range': `bytes 0-${part.length - 1}/${file.length}` }).end(part)
    } else if (request.url === '/page.cairn') response.end('<!doctype html><title>not here</title>')
    else if (request.url === '/whole.cairn') response.writeHead(200, { 'content-length': file.length }).end(file)
    else response.writeHead(404).end()
  })
  await new Promise<void>(done => server.listen(0, 'localhost', done))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  for (const name of ['ranges', 'whole']) {
    const { out, err } = await cairn('inspect', `${url}/${name}.cairn`, '--json')
    assert.is(err, '')
    assert.equal(JSON.parse(out).file, { bytes: file.length, here: 65536 })
  }
  assert.is(sent, 65536)
  assert.match((await cairn('inspect', `${url}/page.cairn`)).err, /^cairn: http:\S+ is an HTML page; .*\n$/)
  assert.match((await cairn('inspect', `${url}/none.cairn`)).err, /^cairn: cannot fetch http:\S+: status 404\n$/)
})

test('gates fail compile, inspect and verify with one line, and nothing is written', async () => {
  const small = zoo.lenet5.build()
  const compiled = await compile(small)
  writeFileSync(join(folder, 'l.onnx'), small)
  writeFileSync(join(folder, 'l.cairn'), compiled)
  const { macs, operators } = inspect(compiled)
  const { header } = decodeHead(compiled)
  const used = header.kernels.length
  const pipelines = gpuNeeds(header, { N: 1 }).pipelines.all
  const gates: readonly (readonly [string, string, string, RegExp])[] = [
    [
      '--max-macs',
      String(macs),
      `${Math.floor(macs / 1e3)}K`,
      /a run takes \d+ multiply-accumulates at N=1; --max-macs allows/
    ],
    ['--max-kernels', String(used), String(used - 1), /runs on \d+ kernels \(.*\); --max-kernels allows/],
    [
      '--max-pipelines',
      String(pipelines),
      String(pipelines - 1),
      /WebGPU makes \d+ pipelines .*; --max-pipelines allows/
    ],
    ['--max-bytes', String(compiled.length), '100KB', /the file would have \d+ bytes; --max-bytes allows 100000/],
    ['--max-memory', '1GiB', '100KiB', /memory/],
    [
      '--allow-ops',
      operators.join(),
      operators.filter(name => name !== 'Conv').join(),
      /has the operators Conv; --allow-ops allows/
    ]
  ]
  const passing = gates.map(([flag, passes]) => `${flag}=${passes}`)
  assert.is((await cairn('compile', 'l.onnx', '-o', 'passed.cairn', ...passing)).err, '')
  assert.is((await cairn('inspect', 'l.cairn', ...passing)).status, 0)
  for (const [flag, , fails, message] of gates) {
    const { status, err } = await cairn('compile', 'l.onnx', '-o', 'failed.cairn', flag, fails)
    assert.match(err, message)
    assert.match(err, /^cairn: [^\n]*\n$/)
    assert.is(status, 1)
  }
  assert.not(existsSync(join(folder, 'failed.cairn')))
  for (const [command, model] of [
    ['inspect', 'l.onnx'],
    ['inspect', 'head.cairn'],
    ['verify', 'l.onnx'],
    ['verify', 'l.cairn']
  ]) {
    const { status, out, err } = await cairn(command, model, '--max-kernels', '1')
    assert.match(err, /^cairn: (l|head)\.(onnx|cairn): runs on \d+ kernels [^\n]*\n$/)
    assert.equal([status, out], [1, ''])
  }
})

test('pipelines are counted as WebGPU makes them', async () => {
  const random = new Random('pipelines')
  try {
    env.webgpu.gpu ??= await openNullGpu()
  } catch (error) {
    return skip('pipelines of a run on WebGPU', (error as Error).message)
  }
  for (const name of ['lenet5', 'resnet20-cifar'] as const) {
    const compiled = await compile(zoo[name].build())
    const session = await InferenceSession.create(compiled, {
      executionProviders: [{ name: 'webgpu', precision: 'f32' }]
    })
    const [{ name: input, shape }] = session.inputMetadata
    const dims = shape.map(size => (typeof size === 'number' ? size : 1))
    await session.run({
      [input]: new Tensor('float32', Float32Array.from(random.values(dims.reduce((a, b) => a * b))), dims)
    })
    const made = new Set(session.dispatches.map(({ pipeline }) => pipeline)).size
    const { header } = decodeHead(compiled)
    assert.is(gpuNeeds(header, Object.fromEntries(header.free.map(free => [free, 1]))).pipelines.run, made, name)
    await session.release()
  }
})

test.run()
