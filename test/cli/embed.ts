// `cairn embed`: features as onnxruntime computes them, neighbours by cosine, principal components as a plain computation has them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { neighbourhood, principal } from '../../cli/embed/index.js'
import { decodeNpy } from '../../cli/model/npy.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { commandLine } from '../support/host/command-line.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`embed (seed ${baseSeed})`)
const random = new Random('embed')
const folder = mkdtempSync(join(tmpdir(), 'cairn-embed-'))
const at = (...parts: string[]) => join(folder, ...parts)
test.after(() => rmSync(folder, { recursive: true }))

const side = 8
const cairn = commandLine(folder, 'embed')

test('features, neighbours and the map', async () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, side, side], 'float32', [0, 1], 'x')
  const maps = m.add('Relu', [m.add('Conv', [x, m.weights([6, 3, 3, 3])])])
  const features = m.add('GlobalAveragePool', [maps])
  m.output(m.add('MatMul', [m.add('Flatten', [features]), m.weights([6, 4])]))
  writeFileSync(at('m.onnx'), m.encode())
  const pictures = ['a', 'b'].flatMap(name => Array.from({ length: 4 }, (_, i) => ({ name, file: `${i}.png` })))
  const inputs = pictures.map(({ name, file }) => {
    mkdirSync(at('data', name), { recursive: true })
    const data = Uint8Array.from(random.ints(side * side * 3, [0, 255]))
    writeFileSync(at('data', name, file), pngOf({ data, width: side, height: side }))
    return Array.from(
      { length: 3 * side * side },
      (_, i) => data[(i % (side * side)) * 3 + Math.floor(i / (side * side))] / 255
    )
  })
  const oracle = await Oracle.load(m.output(features).encode())
  const dims = [pictures.length, 3, side, side]
  const expected = (await oracle.run({ x: { dtype: 'float32', dims, data: inputs.flat() } }))[features].data
  await oracle.release()
  const rows = pictures.map((_, i) => Array.from({ length: 6 }, (_, k) => expected[i * 6 + k]))

  const own = ['--data', 'data', '--stretch', '--scale', String(1 / 255), '--map', 'map.html', '--neighbours', '2']
  const { status, stdout, stderr } = cairn('m.onnx', ...own, '--json')
  assert.is(status, 0, stderr)
  const written = decodeNpy(new Uint8Array(readFileSync(at('features.npy'))), 'features.npy')
  assert.equal(written.dims, [8, 6])
  rows.flat().forEach((value, i) => assert.ok(Math.abs((written.data as Float32Array)[i] - value) < 1e-4))

  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b))
  const { neighbours } = JSON.parse(stdout)
  rows.forEach((row, i) => {
    const others = rows.map((other, k) => (k === i ? -2 : cosine(row, other))).sort((a, b) => b - a)
    neighbours[i].nearest.forEach((each: { cosine: number }, k: number) =>
      assert.ok(Math.abs(each.cosine - others[k]) < 1e-4, `${each.cosine}, ${others[k]}`)
    )
  })
  const page = readFileSync(at('map.html'), 'utf8')
  assert.is(page.match(/<image /g)?.length, 8)
  assert.not.match(page, /https?:| src=/)
  assert.match(cairn('m.onnx', '--data', 'data', '--umap').stderr, /^cairn: --umap is of no use without --map F\.html/)
  assert.match(cairn('m.onnx').stderr, /^cairn: --data DIR is missing/)
  assert.match(
    cairn('m.onnx', '--data', 'data', '-o', 'x.txt').stderr,
    /^cairn: -o x\.txt: a name that ends in \.npy is allowed\n$/
  )
})

test('UMAP keeps together what is together', async () => {
  const centres = Array.from({ length: 3 }, () => random.values(8, [-1, 1]))
  const vectors = Array.from({ length: 24 }, (_, i) => {
    const noise = random.values(8, [-0.05, 0.05])
    return Float32Array.from(centres[i % 3], (value, k) => value + noise[k])
  })
  const points = await neighbourhood(vectors)
  const apart = (i: number, k: number) => Math.hypot(points[i][0] - points[k][0], points[i][1] - points[k][1])
  for (let i = 0; i < 24; i++) {
    const others = Array.from({ length: 24 }, (_, k) => k).filter(k => k !== i)
    const nearest = others.reduce((best, k) => (apart(i, k) < apart(i, best) ? k : best))
    assert.is(nearest % 3, i % 3, `${i} beside ${nearest}`)
  }
  assert.equal(await neighbourhood(vectors), points)
})

test('principal components have the variances of the covariance', () => {
  const vectors = Array.from({ length: 40 }, () => {
    const [a, b] = random.values(2)
    const noise = random.values(5, [-0.05, 0.05])
    return Float32Array.from([3 * a, 3 * a + b, -b, b, 0], (value, i) => value + noise[i])
  })
  const { points, shares } = principal(vectors)
  const of = (axis: number) => points.map(point => point[axis])
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)
  assert.ok(Math.abs(product(of(0), of(1))) < 1e-3 * product(of(0), of(0)))
  assert.ok(shares[0] > shares[1] && shares[0] + shares[1] > 0.99 && shares[0] + shares[1] <= 1 + 1e-9)
  // Two components hold nearly all of each distance.
  for (let i = 1; i < 40; i++) {
    const apart = Math.hypot(...vectors[i].map((value, k) => value - vectors[0][k]))
    assert.ok(Math.abs(Math.hypot(points[i][0] - points[0][0], points[i][1] - points[0][1]) - apart) < 0.3)
  }
})

test.run()
