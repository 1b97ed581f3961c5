// The command line's modules: files beside them, inspect, verify and run of them, and modules that are commands themselves.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeNpy, encodeNpy } from '../../cli/model/npy.js'
import { headerOf, standaloneOf } from '../../compiler/standalone/index.js'
import { Tensor } from '../../runtime/index.js'
import { instantiate } from '../../runtime/standalone.js'
import { commandLine } from '../support/host/command-line.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`standalone commands (seed ${baseSeed})`)
const random = new Random('standalone command')
const folder = mkdtempSync(join(tmpdir(), 'cairn-standalone-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const cairn = commandLine(folder)

/** Two inputs, one of them integers, and three outputs, of which one is as long as a run finds. */
function model(): Uint8Array {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 2, 4, 4], 'float32', [-1, 1], 'x')
  const rows = m.input([3], 'int64', [0, 4], 'rows')
  const y = m.add('Conv', [x, m.weights([5, 2, 3, 3])], { pads: [1, 1, 1, 1] })
  m.output(y)
  m.output(m.add('Gather', [m.weights([5, 2]), rows], { axis: 0 }))
  return m.output(m.add('NonZero', [m.add('Relu', [y])])).encode()
}

writeFileSync(at('m.onnx'), model())
const flags = ['-o', 'm.wasm', '--dims', 'N=1', '--golden', '--wasi', '--emit', 'c-header']
const compiled = cairn('compile', 'm.onnx', ...flags, '--json')
const metadata = standaloneOf(readFileSync(at('m.wasm')))!
const x = Float32Array.from({ length: 32 }, () => random.uniform(-1, 1))
const rows = [random.int(0, 4), random.int(-5, 4), random.int(0, 4)]
const numbers = BigInt64Array.from(rows, BigInt)

test('compile writes a module, its types and its header', () => {
  assert.is(compiled.status, 0, compiled.stderr)
  assert.equal(JSON.parse(compiled.stdout).besides, ['m.d.ts', 'm.h'])
  assert.match(readFileSync(at('m.d.ts'), 'utf8'), /readonly "x": StandaloneFeed/)
  const header = readFileSync(at('m.h'), 'utf8')
  assert.match(header, new RegExp(`#define M_INPUT_0 ${metadata.inputs[0].at}u\\n#define M_INPUT_0_LENGTH 32u`))
})

test('names of a header that would begin with a digit do not', () => {
  const header = headerOf(metadata, '3d-net')
  assert.match(header, /#define _3D_NET_INPUT_0 \d+u\n/)
  assert.not.match(header, /#(define|ifndef) \d/)
})

test('flags of modules are refused for files, and the other way round', () => {
  const refused = (pattern: RegExp, ...args: string[]) => {
    const { status, stderr } = cairn(...args)
    assert.is(status, pattern.source.includes('free') || pattern.source.includes('no model') ? 1 : 2, stderr)
    assert.match(stderr, pattern)
    assert.is(stderr.split('\n').length, 2)
  }
  refused(/--wasi is of no use without -o model\.wasm/, 'compile', 'm.onnx', '--wasi')
  refused(/--emit elf: c-header is allowed/, 'compile', 'm.onnx', '-o', 'n.wasm', '--emit', 'elf')
  refused(/m\.onnx: target wasm needs all sizes, and N is free/, 'compile', 'm.onnx', '-o', 'n.wasm')
  assert.not.ok(existsSync(at('n.wasm')))
  refused(/--threads is of no use for m\.wasm/, 'run', 'm.wasm', '--threads', '2', '--random', '1')
  refused(/--layers is of no use for m\.wasm/, 'inspect', 'm.wasm', '--layers')
  writeFileSync(at('other.wasm'), Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
  refused(/other\.wasm is a WebAssembly module, but no model/, 'inspect', 'other.wasm')
})

test('whole numbers that floats do not hold are refused, as sessions refuse them', () => {
  writeFileSync(at('x.npy'), encodeNpy(new Tensor('float32', x, [1, 2, 4, 4])))
  writeFileSync(at('far.npy'), encodeNpy(new Tensor('int64', BigInt64Array.of(0n, 2n ** 24n + 1n, 1n), [3])))
  const { status, stderr } = cairn('run', 'm.wasm', '--input', 'x=x.npy', '--input', 'rows=far.npy')
  assert.is(status, 1)
  assert.match(stderr, /input "rows" has 16777217; it takes int64 up to 2\^24/)
})

test('inspect, verify and run take a module', async () => {
  const seen = JSON.parse(cairn('inspect', 'm.wasm', '--json').stdout)
  assert.equal(seen.ports.inputs, metadata.inputs)
  assert.ok(seen.exports.includes('check') && seen.exports.includes('_start'))
  assert.match(cairn('inspect', 'm.wasm').stdout, /input +"x" float32\[1×2×4×4\], 32 elements at \d+/)
  assert.match(cairn('verify', 'm.wasm').stdout, /none diverges/)
  writeFileSync(at('x.npy'), encodeNpy(new Tensor('float32', x, [1, 2, 4, 4])))
  writeFileSync(at('rows.npy'), encodeNpy(new Tensor('int64', numbers, [3])))
  const inputs = ['--input', 'x=x.npy', '--input', 'rows=rows.npy']
  assert.is(cairn('run', 'm.wasm', ...inputs, '--out', 'own').status, 0)
  assert.is(cairn('run', 'm.onnx', ...inputs, '--out', 'session', '--device', 'wasm').status, 0)
  const own = await instantiate(readFileSync(at('m.wasm')), { wasi_snapshot_preview1: deaf() })
  for (const [name, { dims }] of Object.entries(own.run({ x, rows: numbers }))) {
    const [a, b] = ['own', 'session'].map(dir =>
      decodeNpy(new Uint8Array(readFileSync(at(`${dir}/${name}.npy`))), name)
    )
    assert.equal([a.dims, a.type], [dims, b.type])
    const largest = Math.max(...Array.from(b.data as ArrayLike<number>, value => Math.abs(Number(value))))
    a.data.forEach((value, i) => {
      assert.ok(Math.abs(Number(value) - Number(b.data[i])) <= 1e-5 * largest)
    })
  }
})

const deaf = () =>
  Object.fromEntries(
    WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(at('m.wasm')))).map(({ name }) => [name, () => 52])
  )

const script = `import { WASI } from 'node:wasi'
import { readFileSync } from 'node:fs'
const wasi = new WASI({ version: 'preview1', args: ['m', ...process.argv.slice(2)], preopens: { '/': process.cwd() } })
const { instance } = await WebAssembly.instantiate(readFileSync('m.wasm'), wasi.getImportObject())
process.exitCode = wasi.start(instance)`

/** The module as a command under Node's WASI. */
function command(input: Uint8Array, ...args: string[]) {
  writeFileSync(at('wasi.mjs'), script)
  writeFileSync(at('input'), input)
  const file = openSync(at('input'), 'r')
  const stdio: [number, 'pipe', 'pipe'] = [file, 'pipe', 'pipe']
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', 'wasi.mjs', ...args], {
    cwd: folder,
    stdio
  })
  closeSync(file)
  return { status, out: stdout, err: String(stderr) }
}

/** The same array with so many more spaces behind its header that it has `length` bytes. */
function padded(npy: Uint8Array, length: number): Uint8Array {
  const bytes = Buffer.from(npy)
  const header = bytes.readUInt16LE(8)
  const end = 10 + header - 1
  bytes.writeUInt16LE(header + length - bytes.length, 8)
  return Buffer.concat([bytes.subarray(0, end), Buffer.alloc(length - bytes.length, ' '), bytes.subarray(end)])
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength)

if (process.versions.bun || process.versions.deno) skip('modules as commands', 'node:wasi is Node’s own')
else
  test('a command of WASI reads .npy, bare elements and files, and writes .npy', async () => {
    const own = await instantiate(readFileSync(at('m.wasm')), { wasi_snapshot_preview1: deaf() })
    const results = Object.values(own.run({ x, rows: numbers }))
    const wanted = Buffer.concat(
      results.map(({ type, data, dims }) => encodeNpy(new Tensor(type as 'float32', data as Float32Array, dims)))
    )
    const npy = [new Tensor('float32', x, [1, 2, 4, 4]), new Tensor('int64', numbers, [3])].map(encodeNpy)
    const others = [
      new Tensor('float64', Float64Array.from(x), [1, 2, 4, 4]),
      new Tensor('int8', Int8Array.from(rows), [3])
    ].map(encodeNpy)
    writeFileSync(at('a.npy'), npy[0])
    writeFileSync(at('b.raw'), bytesOf(numbers))
    const ways: [Uint8Array, ...string[]][] = [
      [Buffer.concat(npy)],
      [Buffer.concat([bytesOf(x), bytesOf(numbers)])],
      [Buffer.concat(others)],
      // The second one begins at the end of what is read at once.
      [Buffer.concat([padded(npy[0], 4093), npy[1]])],
      [new Uint8Array(), 'a.npy', 'b.raw']
    ]
    for (const way of ways) {
      const { status, out, err } = command(...way)
      assert.is(status, 0, err)
      assert.ok(out.equals(wanted), `${out.length} bytes, ${wanted.length} are wanted`)
    }
    // The first byte of a bare element may be that of .npy files.
    const [odd, first] = [x.slice(), new DataView(new ArrayBuffer(4))]
    first.setUint32(0, 0x3f800093, true)
    odd[0] = first.getFloat32(0, true)
    const [conv] = Object.values(own.run({ x: odd, rows: numbers }))
    const { out: oddly, err: why } = command(Buffer.concat([bytesOf(odd), bytesOf(numbers)]))
    const same = encodeNpy(new Tensor('float32', conv.data as Float32Array, conv.dims))
    assert.ok(oddly.subarray(0, same.length).equals(same), why)
    const refused: [RegExp, Uint8Array, ...string[]][] = [
      [/ends too soon/, bytesOf(x)],
      [/goes on behind/, Buffer.concat([...npy, Uint8Array.of(0)])],
      [/another shape/, encodeNpy(new Tensor('float32', x.slice(1), [31]))],
      [/another shape/, encodeNpy(new Tensor('float32', x, [2, 1, 4, 4]))],
      [/another shape/, encodeNpy(new Tensor('float32', x, [1, 2, 4, 4, 1]))],
      [/another shape/, encodeNpy(new Tensor('float32', x, [32]))],
      [/no such file/, new Uint8Array(), 'a.npy', 'c.raw'],
      [/another number of files/, new Uint8Array(), 'a.npy', 'b.raw', 'c'],
      [/another number of files/, new Uint8Array(), 'a.npy'],
      [/index of the input is out of range/, Buffer.concat([bytesOf(x), bytesOf(BigInt64Array.of(0n, 5n, 0n))])]
    ]
    for (const [pattern, ...way] of refused) {
      const { status, out, err } = command(...way)
      assert.is(status, 1)
      assert.match(err, pattern)
      assert.match(err, /^cairn: .*\n$/)
      assert.is(out.length, 0)
    }
  })

test.run()
