// `cairn explain` as it is typed: a heat map over a photo, its numbers, and one line for what cannot be.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readNpy } from '../../cli/model/index.js'
import { pngOf } from '../../cli/pictures/index.js'
import { compile } from '../../compiler/index.js'
import { channels, classes, plainNet, side } from '../support/explain/plain-net.js'
import { commandLine } from '../support/host/command-line.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`cairn explain (seed ${baseSeed})`)
const folder = mkdtempSync(join(tmpdir(), 'cairn-explain-'))
const at = (name: string) => join(folder, name)
const random = new Random('cairn explain')

const cairn = commandLine(folder, 'explain')

test.before(async () => {
  const model = plainNet(random).onnx('N')
  writeFileSync(at('net.onnx'), model)
  writeFileSync(at('net.cairn'), await compile(model))
  writeFileSync(at('names.txt'), Array.from({ length: classes }, (_, i) => `kind ${i}\n`).join(''))
  const data = Uint8Array.from({ length: 40 * 30 * 3 }, () => random.int(0, 255))
  writeFileSync(at('photo.png'), pngOf({ data, width: 40, height: 30 }))
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** Random weights may leave nothing that speaks for a class: then, and only then, a line says so. */
const nothing = (map: readonly (readonly number[])[], more = '') =>
  map.flat().every(value => value === 0) ? `nothing there speaks for the class${more}\n` : ''

test('writes the map over the photo, and its numbers', () => {
  const usual = ['net.onnx', '--image', 'photo.png', '--labels', 'names.txt']
  const { status, stdout, stderr } = cairn(...usual, '--class', 'Kind 2', '-o', 'why.png')
  assert.is(status, 0, stderr)
  const lines =
    /^photo\.png: kind 2 \(class 2\), score \S+, by gradcam at "relu_\d+", 12×12, \d+ ms\n(nothing .*\n)?wrote why\.png\n$/
  assert.match(stdout, lines)
  const { map } = JSON.parse(cairn(...usual, '--class', '2', '--json').stdout)
  assert.is(lines.exec(stdout)![1] ?? '', nothing(map, '; --layer NAME looks elsewhere'))
  const { width, height } = PNG.sync.read(readFileSync(at('why.png')))
  assert.equal([width, height], [40, 30])
  const json = cairn(...usual, '--method', 'saliency', '--npy', 'why.npy', '--json', '--stretch')
  const said = JSON.parse(json.stdout)
  assert.equal([said.method, said.label, said.out], ['saliency', `kind ${said.class}`, 'photo-saliency.png'])
  assert.equal([said.map.length, said.map[0].length], [side, side])
  const { dims, data } = readNpy(at('why.npy'))
  assert.equal(dims, [1, channels, side, side])
  const largest = Math.max(...Array.from({ length: channels }, (_, c) => Math.abs(Number(data[c * side * side]))))
  assert.ok(Math.abs(said.map[0][0] - largest) < 1e-6 * Math.max(largest, 1e-3))
})

test('a compiled model is explained by occlusion, and says so for other methods', () => {
  const usual = ['net.cairn', '--image', 'photo.png', '--method', 'occlusion', '--window', '6']
  const { status, stdout, stderr } = cairn(...usual)
  assert.is(status, 0, stderr)
  const lines = /by occlusion, \d+ ms\n(nothing .*\n)?wrote photo-occlusion\.png\n$/
  assert.match(stdout, lines)
  const { map } = JSON.parse(cairn(...usual, '--json').stdout)
  assert.is(lines.exec(stdout)![1] ?? '', nothing(map))
  const refusals: [RegExp, number, ...string[]][] = [
    [/^cairn: net\.cairn: gradcam needs gradients.*give the \.onnx; occlusion takes this one\n$/, 1, 'net.cairn'],
    [/--method magic: gradcam, .* are allowed/, 2, 'net.onnx', '--method', 'magic'],
    [/steps is of no use with method gradcam; integrated/, 1, 'net.onnx', '--steps', '4'],
    [/--class cat: a number or one of the labels is allowed/, 1, 'net.onnx', '--class', 'cat', '--labels', 'names.txt'],
    [/class 9; the model has scores of 0 to 3/, 1, 'net.onnx', '--class', '9'],
    [/--out why\.jpg: a name that ends in \.png/, 2, 'net.onnx', '-o', 'why.jpg'],
    [/--opacity 2: a number from 0 to 1/, 2, 'net.onnx', '--opacity', '2']
  ]
  for (const [pattern, code, model, ...flags] of refusals) {
    const refused = cairn(model, '--image', 'photo.png', ...flags)
    assert.match(refused.stderr, pattern)
    assert.match(refused.stderr, /^cairn: [^\n]*\n$/)
    assert.is(refused.status, code)
  }
  assert.match(cairn('net.onnx').stderr, /^cairn: --image FILE is missing/)
})

test.run()
