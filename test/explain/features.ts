// What layers see: maps against onnxruntime's, statistics against plain sums, and pictures that are made for a unit or by a layer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { blur, Parameters, roughness } from '../../explain/features/pixels.js'
import { FeatureMaps, firstFilters, LayerStatistics, patchOf, pictureFrom, Visualiser } from '../../explain/index.js'
import { Tensor } from '../../runtime/index.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`features (seed ${baseSeed})`)
const random = new Random('features')
const side = 16
const dims = [1, 3, side, side]
const picture = () => new Tensor('float32', Float32Array.from(random.values(3 * side * side)), dims)

/** Two convolutions with activations, of which one is a swish spelled out, and a classifier; `ends` are its layers. */
function network() {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, side, side], 'float32', [0, 1], 'x')
  const dead = random.values(6, [-0.2, 0.2]).map((value, i) => (i === 4 ? -100 : value))
  const bias = m.constant({ dtype: 'float32', dims: [6], data: dead })
  const weights = random.values(6 * 27, [-1, 1])
  const filters = m.constant({ dtype: 'float32', dims: [6, 3, 3, 3], data: weights })
  const first = m.add('Relu', [m.add('Conv', [x, filters, bias], { strides: [2, 2], pads: [1, 1, 1, 1] })])
  const conv = m.add('Conv', [first, m.weights([5, 6, 3, 3])], { pads: [1, 1, 1, 1] })
  const second = m.add('Mul', [conv, m.add('Sigmoid', [conv])])
  const scores = m.add('Gemm', [m.add('Flatten', [m.add('GlobalAveragePool', [second])]), m.weights([5, 4])])
  return {
    bytes: m.output(m.add('Softmax', [scores])).encode(),
    all: m.output(first, second, scores).encode(),
    ends: [first, second, scores],
    weights
  }
}

const net = network()
const near = (made: ArrayLike<number>, wanted: ArrayLike<number>, limit = 1e-4) => {
  assert.is(made.length, wanted.length)
  const scale = Math.max(...Array.from(wanted, Math.abs))
  Array.from(wanted).forEach((value, i) =>
    assert.ok(Math.abs(made[i] - value) <= limit * scale, `${i}: ${made[i]}, ${value}`)
  )
}

test('layers behind their activations, as onnxruntime computes them, and what they see', async () => {
  const maps = await FeatureMaps.create(net.bytes, dims)
  assert.equal(
    maps.layers.map(({ units, height, width, field }) => [units, height, width, field?.width]),
    [
      [6, 8, 8, 3],
      [5, 8, 8, 7],
      [4, 1, 1, undefined]
    ]
  )
  const input = picture()
  const found = await maps.run(input)
  const oracle = await Oracle.load(net.all)
  const expected = await oracle.run({ x: { dtype: 'float32', dims, data: Array.from(input.data as Float32Array) } })
  for (const [i, name] of net.ends.entries()) near(found[i].data, expected[name].data as number[])
  await oracle.release()
  await maps.release()
  const [one] = maps.layers
  // The first element's centre is pixel 0: its field is moved inside.
  assert.equal(patchOf(one, { row: 0, column: 7 }, side, side), { left: 13, top: 0, width: 3, height: 3 })
  const named = await FeatureMaps.create(net.bytes, dims, { layers: [maps.layers[0].name], device: 'reference' })
  near((await named.run(input))[0].data, expected[net.ends[0]].data as number[])
  await named.release()
  const filters = firstFilters(net.bytes, dims)!
  assert.equal(filters.dims, [6, 3, 3, 3])
  assert.equal([...filters.data], [...Float32Array.from(net.weights)])
})

test('a patch is what an element sees: the pixels that change it', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([1, 3, side, side], 'float32', [-1, 1], 'x')
  const first = m.add('Conv', [x, m.weights([2, 3, 3, 3])], { strides: [2, 2], pads: [0, 0, 1, 1] })
  const far = m.add('Conv', [first, m.weights([2, 2, 3, 3])], { pads: [2, 2, 2, 2], dilations: [2, 2] })
  const sum = m.add('Add', [far, m.add('Conv', [first, m.weights([2, 2, 1, 1])])])
  const cut = m.add('Slice', [sum, m.ints([2, 1]), m.ints([8, 7]), m.ints([2, 3]), m.ints([2, 3])])
  const transposed = m.add('ConvTranspose', [sum, m.weights([2, 2, 4, 4])], { strides: [2, 2], pads: [1, 1, 1, 1] })
  const names = [first, sum, cut, transposed]
  const maps = await FeatureMaps.create(m.output(...names).encode(), dims, { layers: names })
  const base = picture()
  const before = (await maps.run(base)).map(({ data }) => data.slice())
  /** Of each layer, the rows and columns of pixels that change each element of its first unit. */
  const seen = before.map(data => Array.from(data, () => ({ rows: new Set<number>(), columns: new Set<number>() })))
  for (let pixel = 0; pixel < side * side; pixel++) {
    const data = (base.data as Float32Array).slice()
    for (let c = 0; c < 3; c++) data[c * side * side + pixel] += random.values(1, [3, 9])[0]
    const after = await maps.run(new Tensor('float32', data, dims))
    for (const [i, { data }] of after.entries())
      data.forEach((value, at) => {
        if (value === before[i][at]) return
        seen[i][at].rows.add(Math.floor(pixel / side))
        seen[i][at].columns.add(pixel % side)
      })
  }
  for (const [i, layer] of maps.layers.entries())
    for (let row = 0; row < layer.height; row++)
      for (let column = 0; column < layer.width; column++) {
        const { rows, columns } = seen[i][row * layer.width + column]
        const { left, top, width, height } = patchOf(layer, { row, column }, side, side)
        const [high, wide] = [rows, columns].map(lines => Math.max(...lines) - Math.min(...lines) + 1)
        const what = `${layer.name} at ${row}, ${column}`
        assert.ok(
          Math.min(...rows) >= top && Math.max(...rows) < top + height,
          `${what}: rows beyond ${top} + ${height}`
        )
        assert.ok(
          Math.min(...columns) >= left && Math.max(...columns) < left + width,
          `${what}: columns beyond ${left}`
        )
        assert.ok(high <= height && wide <= width, what)
        // Where all of it is inside of the picture, it is no larger than that; neighbours of a transposed one see different parts.
        if (layer.name.startsWith('convtranspose')) continue
        const { placement } = layer.field!
        const reaches = (centre: number, size: number) => centre * side < size / 2 || (1 - centre) * side < size / 2
        if (reaches(placement.top + row * placement.down, height)) continue
        if (reaches(placement.left + column * placement.across, width)) continue
        assert.equal([high, wide], [height, width], what)
      }
  await maps.release()
})

test('silence, dead units, correlations and the strongest places are what plain sums give', async () => {
  const maps = await FeatureMaps.create(net.bytes, dims)
  const statistics = new LayerStatistics(maps.layers, { strongest: 3, places: 64 })
  const all: Float32Array[] = []
  for (let i = 0; i < 5; i++) {
    const found = await maps.run(picture())
    all.push(found[0].data.slice())
    statistics.add(found, i)
  }
  await maps.release()
  const [{ sparsity, dead, correlation, strongest }] = statistics.findings()
  const elements = all.flatMap(data => [...data])
  assert.ok(Math.abs(sparsity - elements.filter(value => value <= 0).length / elements.length) < 1e-12)
  assert.ok(dead.includes(4))
  const of = (unit: number) => all.flatMap(data => [...data.subarray(unit * 64, unit * 64 + 64)])
  const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length
  const covariance = (a: number[], b: number[]) => mean(a.map((value, i) => value * b[i])) - mean(a) * mean(b)
  for (let a = 0; a < 6; a++)
    for (let b = 0; b < 6; b++) {
      const [x, y] = [of(a), of(b)]
      const scale = Math.sqrt(covariance(x, x) * covariance(y, y))
      const r = dead.includes(a) || dead.includes(b) ? 0 : covariance(x, y) / scale
      assert.ok(
        Math.abs(correlation.matrix[a * 6 + b] - r) < 1e-5,
        `${a}, ${b}: ${correlation.matrix[a * 6 + b]}, ${r}`
      )
    }
  const unit = [0, 1, 2, 3, 5].find(each => !dead.includes(each))!
  const largest = all
    .map((data, i) => ({ i, value: Math.max(...data.subarray(unit * 64, unit * 64 + 64)) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, 3)
  assert.equal(
    strongest[unit].map(each => each.value),
    largest.map(each => each.value)
  )
  const [top] = strongest[unit]
  assert.is(top.picture, largest[0].i)
  assert.is(all[top.picture][unit * 64 + top.row * 8 + top.column], top.value)
})

test('a unit says more of the picture that is made for it, the same for the same seed', async () => {
  const range = { black: [-1, -0.5, 0], white: [1, 0.5, 2], bgr: true }
  const maker = await Visualiser.create(net.bytes, dims, range)
  const [one, again, other] = [
    await maker.maximise(2, { steps: 80, seed: 3 }),
    await maker.maximise(2, { steps: 80, seed: 3 }),
    await maker.maximise(2, { steps: 80, seed: 4 })
  ]
  assert.equal(one.picture.data, again.picture.data)
  assert.not.equal(one.picture.data, other.picture.data)
  const maps = await FeatureMaps.create(net.bytes, dims, { layers: [maker.layer] })
  const says = async (input: Tensor) => (await maps.run(input))[0].data[2]
  near([one.value], [await says(one.input)])
  // All that pixels can be, at random, says less.
  for (let i = 0; i < 5; i++) {
    const data = (one.input.data as Float32Array).map((_, at) => {
      const c = Math.floor(at / side ** 2)
      return random.values(1, [range.black[c], range.white[c]])[0]
    })
    assert.ok((await says(new Tensor('float32', data, dims))) < one.value)
  }
  near(pictureFrom(one.input, range).data, one.picture.data, 1 / 255)
  await maps.release()
  await maker.release()
})

test('an inversion comes near to what the layer says of the picture', async () => {
  // Without an activation: behind one a random layer may be silent everywhere, and no picture is nearer than another.
  const m = new ModelBuilder(random)
  const layer = m.add('Conv', [m.input(['N', 3, side, side], 'float32', [0, 1]), m.weights([6, 3, 3, 3])])
  const maker = await Visualiser.create(m.output(layer).encode(), dims, { layer })
  // Smooth, as photos are: the penalty is on what is not.
  const waves = Array.from({ length: 3 }, () => [...random.values(2, [-0.3, 0.3]), random.uniform(-1, 1)])
  const data = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [across, down, start] = waves[Math.floor(i / side ** 2)]
    return 0.5 + 0.45 * Math.sin(across * (i % side) + down * (Math.floor(i / side) % side) + 6 * start)
  })
  const given = new Tensor('float32', data, dims)
  const [few, many] = [await maker.invert(given, { steps: 2 }), await maker.invert(given, { steps: 60, rate: 0.3 })]
  assert.ok(many.value < 0.5 * few.value, `${many.value} of ${few.value}`)
  await maker.release()
})

test('steps on pixels are what central differences give, and a blur keeps the sum', () => {
  const drawn = new Parameters(dims, { black: [0.5, 0, -1], white: [2, 1, 1], bgr: true })
  drawn.values.set(random.values(drawn.values.length, [-1, 1]))
  const [byInput, byPixels] = [0, 1].map(() => random.values(drawn.values.length, [-1, 1]))
  const shift = [3, 5] as const
  const value = () => {
    const pixels = drawn.pixels()
    const input = Float64Array.from(drawn.input(pixels, shift))
    return input.reduce((sum, x, i) => sum + x * byInput[i] + pixels[i] * byPixels[i], 0)
  }
  const gradient = drawn.gradient(Float32Array.from(byInput), drawn.pixels(), shift, Float64Array.from(byPixels))
  for (let k = 0; k < 12; k++) {
    const at = random.int(0, drawn.values.length - 1)
    const before = drawn.values[at]
    const [above, below] = [1e-2, -1e-2].map(by => {
      drawn.values[at] = before + by
      return value()
    })
    drawn.values[at] = before
    const slope = (above - below) / 2e-2
    assert.ok(Math.abs(slope - gradient[at]) < 1e-3, `${slope}, ${gradient[at]}`)
  }
  const planes = new Float64Array(15 * 11)
  planes[7 * 15 + 5] = 1
  blur(planes, 15, 11, 1)
  assert.ok(Math.abs(planes.reduce((a, b) => a + b) - 1) < 1e-9)
  assert.ok(Math.abs(planes[7 * 15 + 5] - 1 / (2 * Math.PI)) < 2e-3, `${planes[7 * 15 + 5]}`)
  assert.equal([...roughness(Float64Array.of(1, 3, 3, 3), 2, 2)], [-8, 4, 4, 0])
})

test('what cannot be shown is refused in one line', async () => {
  await rejects(
    () => FeatureMaps.create(net.bytes, dims, { layers: ['nowhere'] }),
    /no such node or value; its layers are "/
  )
  await rejects(() => FeatureMaps.create(net.bytes, dims, { device: 'abacus' }), /device "abacus"; wasm/)
  const compiled = await compile(net.bytes)
  await rejects(() => FeatureMaps.create(compiled, dims), /a compiled model holds calls of kernels.*give the \.onnx/)
  const maker = await Visualiser.create(net.bytes, dims)
  await rejects(() => maker.maximise(4), /unit 4; a whole number from 0 to 3 is allowed/)
  await rejects(() => maker.maximise(0, { steps: 0 }), /steps 0; a whole number of at least 1/)
  await rejects(() => maker.maximise(0, { jitter: side }), /jitter 16; a whole number from 0 to 15/)
  await maker.release()
  await rejects(() => Visualiser.create(net.bytes, dims, { black: [1, 2] }), /black \[1,2\]; a number for each channel/)
})

test.run()
