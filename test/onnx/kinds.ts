// What is given in place of a model, named for what it is: by kindOf, the compiler, the runtime and the command line.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile, kindOf } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { encodeModel, ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'

const test = suite(`what files are (seed ${baseSeed})`)
const random = new Random('kinds')
const folder = mkdtempSync(join(tmpdir(), 'cairn-kinds-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(parts.flatMap(part => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'latin1')])))
const noise = (count: number) => Uint8Array.from(random.ints(count, [0, 255]))

/** A zip archive's beginning: the header of its first entry. */
const zip = (entry: string, contents = '') =>
  bytes('PK\x03\x04', ...new Array(22).fill(0), entry.length, 0, 0, 0, entry, contents)

const pointer = bytes(
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22\nsize 13964571\n'
)
const page = bytes('\n<!DOCTYPE html>\n<html lang="en"><head><title>app</title></head></html>')
const tflite = bytes(0x1c, 0, 0, 0, 'TFL3', 0x14, 0, 0x20, 0)

const samples: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['git-lfs', pointer, /Git LFS pointer; "git lfs pull"/],
  ['html', page, /HTML page/],
  ['html', bytes('<html><body>404</body></html>'), /HTML page/],
  ['tflite', tflite, /TensorFlow Lite model; tf2onnx/],
  ['zip', zip('model/model.onnx'), /zip archive; unpack/],
  ['pytorch', zip('archive/data.pkl', 'FB\x80\x02c'), /PyTorch file; torch\.onnx\.export/],
  ['pytorch', bytes(0x80, 2, 0x8a, 0x0a, 'l\xfc\x9cF\xf9 j\xa8P\x19.'), /PyTorch file/],
  ['pickle', bytes(0x80, 4, 0x95, 0, 0), /Python pickle/],
  ['keras', zip('metadata.json', '{"keras_version": "3.3.3"}'), /Keras model; tf2onnx/],
  ['npz', zip('x.npy', '\x93NUMPY'), /\.npz archive/],
  ['hdf5', bytes(0x89, 'HDF\r\n', 0x1a, '\n'), /HDF5 file/],
  ['saved-model', bytes(8, 1, 0x12, 0xe2, 0x85, 3, '\n', 0x9a, 4, 0x12, 5, 'serve'), /SavedModel/],
  ['graph-def', bytes('\n', 0x20, '\n', 5, 'input', 0x12, 11, 'Placeholder'), /TensorFlow graph/],
  ['safetensors', bytes(0x50, 1, 0, 0, 0, 0, 0, 0, '{"conv.weight":{"dtype":"F32"'), /safetensors/],
  ['gguf', bytes('GGUF', 3, 0, 0, 0), /GGUF/],
  ['ort', bytes(0x18, 0, 0, 0, 'ORTM'), /\.ort format/],
  ['tfjs', bytes('{"format": "graph-model", "modelTopology": {'), /TensorFlow\.js model/],
  ['json', bytes('{"name": "x"}'), /JSON file/],
  ['openvino', bytes('<?xml version="1.0"?>\n<net name="x" version="11">'), /OpenVINO/],
  ['gzip', new Uint8Array(gzipSync(noise(99))), /gzip archive/],
  ['pdf', bytes('%PDF-1.7\n'), /PDF/],
  ['npy', bytes(0x93, 'NUMPY', 1, 0), /NumPy array/],
  ['jpeg', bytes(0xff, 0xd8, 0xff, 0xe0), /JPEG image/],
  ['png', bytes(0x89, 'PNG\r\n', 0x1a, '\n'), /PNG image/],
  ['webp', bytes('RIFF', 1, 2, 3, 4, 'WEBPVP8 '), /WebP image/],
  ['avif', bytes(0, 0, 0, 0x1c, 'ftypavif', 0, 0, 0, 0, 'mif1'), /AVIF image/],
  ['heic', bytes(0, 0, 0, 0x18, 'ftypheic', 0, 0, 0, 0, 'mif1heic'), /HEIC image/],
  ['gif', bytes('GIF89a', 1, 0), /GIF image/],
  ['tiff', bytes('MM', 0, 0x2a, 0, 0, 0, 8), /TIFF image/],
  ['bmp', bytes('BM', 0x36, 0x30, 0, 0, 0, 0, 0, 0), /BMP image/],
  ['empty', new Uint8Array(0), /an empty file/],
  ['zeros', new Uint8Array(4096), /zeros/],
  ['text', bytes('cat\ndog\n'), /text file/]
]

test('each is known by its first bytes, whatever follows, and refused by name where a model is wanted', async () => {
  for (const [name, head, what] of samples) {
    const whole = ['empty', 'text', 'json', 'zeros'].includes(name) ? head : Uint8Array.from([...head, ...noise(2000)])
    assert.is(kindOf(whole)?.name, name)
    assert.match(kindOf(whole)!.what, what)
    await rejects(() => compile(whole), new RegExp(`^not an ONNX model but .*${what.source}`), CompileError)
  }
})

test('models are none of these, and compiled files, patches and tensors are themselves', async () => {
  const onnx = zoo.lenet5.build()
  assert.is(kindOf(onnx), undefined)
  for (let opset = 7; opset < 22; opset++) {
    const model = new ModelBuilder(random, opset)
    model.output(model.add('Mul', [model.input([1, 3]), model.weights([3])]))
    assert.is(kindOf(model.encode()), undefined)
    assert.is(kindOf(encodeModel({ ...model.proto(), producerName: 'pytorch', producerVersion: '2.4' })), undefined)
  }
  assert.is(kindOf(await compile(onnx))?.name, 'cairn')
})

test('weights in another file: a pointer, a page or too few bytes are told with the name of the file', async () => {
  const model = new ModelBuilder(random)
  model.output(model.add('Mul', [model.input([1, 64]), model.weights([64])]))
  const proto = model.proto()
  const [tensor] = proto.graph!.initializer!
  Object.assign(tensor, {
    rawData: undefined,
    dataLocation: 1,
    externalData: Object.entries({ location: 'w.data', offset: '0', length: '256' }).map(([key, value]) => ({
      key,
      value
    }))
  })
  const onnx = encodeModel(proto)
  const given = (file: Uint8Array) => () => compile(onnx, { externalData: () => file })
  await rejects(given(pointer), /"w\.data" from 0 to 256; that is a Git LFS pointer/, CompileError)
  await rejects(given(page), /"w\.data" from 0 to 256; that is an HTML page/, CompileError)
  // Some beginnings of noise are those of a kind of file.
  await rejects(given(Uint8Array.of(0xee, ...noise(199))), /"w\.data" from 0 to 256; that has 200 bytes/, CompileError)
})

test('a runtime without the compiler names what servers and Git send, for models and for its own WebAssembly', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  await new Promise<void>(done => server.listen(0, 'localhost', done))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const file = join(folder, 'model.cairn')
  writeFileSync(file, await compile(zoo.lenet5.build()))
  writeFileSync(join(folder, 'pointer.cairn'), pointer)
  writeFileSync(join(folder, 'lite.cairn'), tflite)
  writeFileSync(join(folder, 'model.zip'), zip('model.onnx'))
  const script = `
    const { env, InferenceSession } = await import(${JSON.stringify(new URL('../../runtime/index.js', import.meta.url))})
    const say = async (given, options) => console.log(await InferenceSession.create(given).then(() => 'opened', e => e.message))
    await say('${url}/model.cairn')
    for (const name of ['pointer.cairn', 'lite.cairn', 'model.zip']) await say(${JSON.stringify(folder)} + '/' + name)
    env.wasm.wasmPaths = '${url}/'
    await say(${JSON.stringify(file)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  for await (const chunk of child.stdout) out += chunk
  server.close()
  const [html, lfs, lite, archive, wasm] = out.trim().split('\n')
  assert.match(html, /^"http:.*model\.cairn" is not a \.cairn file but an HTML page; check its address/)
  assert.match(lfs, /pointer\.cairn" is not a \.cairn file but a Git LFS pointer; "git lfs pull"/)
  assert.match(lite, /but a TensorFlow Lite model/)
  assert.match(archive, /but a zip archive/)
  assert.match(wasm, /wasm: cannot load http:.*cairn.*\.wasm: it is an HTML page; .*env\.wasm\.wasmPaths.*$/)
})

test('the command line names them wherever it reads a file', () => {
  const at = (name: string, contents: Uint8Array) => {
    writeFileSync(join(folder, name), contents)
    return join(folder, name)
  }
  const cli = join(root, 'dist', 'cli', 'index.js')
  const refused = (pattern: RegExp, ...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder })
    assert.match(stderr, pattern)
    assert.match(stderr, /^cairn: [^\n]*\n$/)
    assert.is(status, 1)
  }
  const model = at('m.onnx', zoo.lenet5.build())
  const picture = at('p.png', bytes(0x89, 'PNG\r\n', 0x1a, '\n'))
  refused(
    /lfs\.onnx is a Git LFS pointer; .*; an ONNX model or a \.cairn file is allowed/,
    'compile',
    at('lfs.onnx', pointer)
  )
  refused(/m\.cairn is an HTML page/, 'run', at('m.cairn', page), '--random', '1')
  refused(/net\.onnx is a PyTorch file/, 'inspect', at('net.onnx', zip('net/data.pkl')))
  refused(
    /photo\.patch: not a patch but a JPEG image/,
    'run',
    model,
    '--patch',
    at('photo.patch', bytes(0xff, 0xd8, 0xff)),
    '--random',
    '1'
  )
  refused(
    /l\.txt is a zip archive.*class names/,
    'run',
    model,
    '--labels',
    at('l.txt', zip('labels.txt')),
    '--random',
    '1'
  )
  refused(/x\.npy is an \.npz archive/, 'run', model, '--input', `input=${at('x.npy', zip('x.npy'))}`)
  refused(
    /t\.pb is a TensorFlow SavedModel/,
    'run',
    model,
    '--input',
    `input=${at('t.pb', samples.find(([n]) => n === 'saved-model')![1])}`
  )
  refused(/d\.zip is a zip archive/, 'train', model, '--data', at('d.zip', zip('cats/1.jpg')))
  mkdirSync(join(folder, 'empty'))
  refused(/p\.png: damaged image/, 'run', model, '--image', picture)
})

test.run()
