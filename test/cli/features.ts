// `cairn features` as it is typed: a report of what layers see, one sheet of maps, and one line for what cannot be.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pngOf } from '../../cli/pictures/index.js'
import { compile } from '../../compiler/index.js'
import { plainNet } from '../support/explain/plain-net.js'
import { commandLine } from '../support/host/command-line.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`cairn features (seed ${baseSeed})`)
const folder = mkdtempSync(join(tmpdir(), 'cairn-features-'))
const at = (...names: string[]) => join(folder, ...names)
const random = new Random('cairn features')

const cairn = commandLine(folder, 'features')

test.before(async () => {
  const model = plainNet(random).onnx('N')
  writeFileSync(at('net.onnx'), model)
  writeFileSync(at('net.cairn'), await compile(model))
  mkdirSync(at('photos', 'deeper'), { recursive: true })
  for (const name of ['a.png', 'b.png', 'deeper/c.png']) {
    const data = Uint8Array.from({ length: 20 * 16 * 3 }, () => random.int(0, 255))
    writeFileSync(at('photos', name), pngOf({ data, width: 20, height: 16 }))
  }
  writeFileSync(at('photos', 'notes.txt'), 'no picture')
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('a report of filters, maps, patches, made pictures and figures', () => {
  const usual = ['net.onnx', '--image', 'photos/a.png', '--data', 'photos', '--sheets', 'sheets']
  const { status, stdout, stderr } = cairn(...usual, '--maximise', '--invert', '--steps', '2', '--json')
  assert.is(status, 0, stderr)
  const told = JSON.parse(stdout)
  assert.equal(
    told.findings.map(({ strongest }: { strongest: unknown[] }) => strongest.length),
    [5, 6, 4]
  )
  assert.equal(told.findings[0].strongest[0].length, 3, 'one place a picture')
  assert.equal([told.maximised.length, told.inverted.length], [4, 4])
  const html = readFileSync(at('features.html'), 'utf8')
  assert.match(html, /<title>What net\.onnx sees/)
  for (const title of [
    'First-layer filters',
    'Feature maps',
    'What excites units',
    'What units look for',
    'What layers keep'
  ])
    assert.ok(html.includes(`<h2>${title}</h2>`), title)
  assert.not.match(html, /<script|https?:/)
  assert.is(readdirSync(at('sheets')).length, told.sheets.length)
  assert.is(html.match(/<img /g)?.length, told.sheets.length)
})

test('the maps of one layer as a picture', () => {
  const [, layer] = /its layers are "([^"]+)"/.exec(cairn('net.onnx', '--layer', 'none').stderr)!
  const { status, stdout, stderr } = cairn('net.onnx', '--image', 'photos/b.png', '--layer', layer, '-o', 'maps.png')
  assert.is(status, 0, stderr)
  assert.is(stdout, 'wrote maps.png\n')
  const { width, height } = PNG.sync.read(readFileSync(at('maps.png')))
  // Five maps of 12×12, five times as large, with a gap of 2.
  assert.equal([width, height], [5 * 62 + 2, 64])
})

test('what cannot be is refused in one line', () => {
  const refusals: [RegExp, number, ...string[]][] = [
    [/^cairn: net\.cairn: a compiled model holds calls of kernels.*give the \.onnx\n$/, 1, 'net.cairn'],
    [/layer "none": the model has no such node or value/, 1, 'net.onnx', '--layer', 'none'],
    [/--invert needs --image FILE/, 2, 'net.onnx', '--invert'],
    [/-o maps\.png needs --image FILE/, 2, 'net.onnx', '-o', 'maps.png'],
    [/-o maps\.jpg: a name that ends in \.html, or in \.png/, 2, 'net.onnx', '-o', 'maps.jpg'],
    [/--steps is of no use without --maximise or --invert/, 2, 'net.onnx', '--steps', '3'],
    [/--units 9: layer "[^"]+" has units 0 to 3/, 1, 'net.onnx', '--units', '9', '--maximise', '--steps', '1']
  ]
  for (const [pattern, code, ...flags] of refusals) {
    const refused = cairn(...flags)
    assert.match(refused.stderr, pattern)
    assert.match(refused.stderr, /^cairn: [^\n]*\n$/)
    assert.is(refused.status, code)
  }
})

test.run()
