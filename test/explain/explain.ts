// Why a network gives a class: every method against its formula in double precision, finite differences, or plain runs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError, compile } from '../../compiler/index.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { type Explained, Explainer, type ExplainerOptions, explain, overlay, peakOf } from '../../explain/index.js'
import { buildExplaining } from '../../explain/program.js'
import { zoo } from '../../models/index.js'
import { workOf } from '../../runtime/check/index.js'
import { type Program, planProgram } from '../../runtime/file/index.js'
import { InferenceSession, softmax, Tensor } from '../../runtime/index.js'
import { fileOf } from '../../train/network/backbone.js'
import { backs, channels, classes, side, tellingNet } from '../support/explain/plain-net.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`explain (seed ${baseSeed})`)
const random = new Random('explain')
/** What integrated gradients start from. */
const grey = 0.25
const { net, elements } = tellingNet(random, grey)
const model = net.onnx(1)
const dims = [1, channels, side, side]
const input = new Tensor('float32', elements, dims)
const scores = net.scores(elements)
const best = scores.indexOf(Math.max(...scores))
const other = (best + 1 + random.int(0, classes - 2)) % classes

/** As shares of the largest. */
function near(made: ArrayLike<number>, wanted: ArrayLike<number>, limit = 1e-4, of = wanted): void {
  assert.is(made.length, wanted.length)
  const scale = Math.max(...Array.from(of, Math.abs))
  assert.ok(scale > 0)
  Array.from(wanted).forEach((value, i) => {
    assert.ok(Math.abs(made[i] - value) <= limit * scale, `element ${i} is ${made[i]}, not ${value}`)
  })
}

for (const method of ['saliency', 'guided', 'deconvnet'] as const)
  test(`${method} is what double precision gives, of the best class and of another`, async () => {
    for (const label of [undefined, other]) {
      const found = await explain(model, input, { method, class: label })
      assert.is(found.class, label ?? best)
      near([found.score], [scores[found.class]], 1e-4, scores)
      near(found.scores, scores)
      const { input: wanted } = net.gradients(elements, found.class, backs[method])
      assert.equal(found.attribution.dims, dims)
      near(found.attribution.data, wanted)
      const pixels = side * side
      const largest = Array.from({ length: pixels }, (_, i) =>
        Math.max(...Array.from({ length: channels }, (_, c) => Math.abs(wanted[c * pixels + i])))
      )
      near(found.map.data, largest)
    }
  })

interface Smooth {
  readonly model: Uint8Array
  /** Of the same without the softmax at its end. */
  readonly scores: Uint8Array
}

/** One of which the input moves the best score by something. */
function smooth(): Smooth {
  for (let draw = 0; draw < 200; draw++) {
    const made = drawnSmooth(`smooth ${draw}`)
    const reference = Interpreter.of(build(made.scores).program)
    const [there, from] = [Float64Array.from(elements), new Float64Array(elements.length)].map(
      x => reference.run([x])[0]
    )
    const label = there.indexOf(Math.max(...there))
    if (Math.abs(there[label] - from[label]) > 0.02) return made
  }
  throw new Error('of 200 networks the input moves the best score of none')
}

/** Normalisations, squeeze and excitation, resizing, LRN and reflections: all of it smooth, so that differences tell. */
function drawnSmooth(salt: string): Smooth {
  const make = (whole: boolean) => {
    const m = new ModelBuilder(new Random(salt))
    const conv = (from: string, width: number, filters: number) =>
      m.add('Conv', [from, m.weights([filters, width, 3, 3], [-0.4, 0.4])], { pads: [1, 1, 1, 1] })
    const x = m.input(dims, 'float32', [-1, 1], 'x')
    const norm = (from: string, width: number) =>
      m.add('BatchNormalization', [
        from,
        ...[m.weights([width], [0.5, 1.5]), m.weights([width]), m.weights([width]), m.weights([width], [0.5, 2])]
      ])
    const first = m.add('Softplus', [norm(conv(x, channels, 6), 6)])
    const local = m.add('LRN', [first], { size: 3, alpha: { float: 0.5 } })
    const padded = m.add('Pad', [local, m.ints([0, 0, 2, 1, 0, 0, 1, 2])], { mode: 'reflect' })
    const down = m.add('Tanh', [m.add('Conv', [padded, m.weights([8, 6, 3, 3], [-0.4, 0.4])], { strides: [2, 2] })])
    const scales = m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })
    const up = m.add('Resize', [down, undefined, scales], { mode: 'linear' })
    const gate = m.add('Sigmoid', [m.add('Conv', [m.add('GlobalAveragePool', [up]), m.weights([8, 8, 1, 1])])])
    const gated = m.add('Mul', [up, gate])
    const sum = m.add('Add', [gated, m.add('Mul', [gated, m.add('Sigmoid', [gated])])])
    const flat = m.add('Flatten', [m.add('AveragePool', [sum], { kernel_shape: [3, 3], strides: [3, 3] })])
    const end = m.add('Gemm', [flat, m.weights([8 * 16, 5], [-0.5, 0.5])])
    return m.output(whole ? m.add('Softmax', [end]) : end).encode()
  }
  return { model: make(true), scores: make(false) }
}

test('saliency is what central differences give, through layers of many kinds', async () => {
  const made = smooth()
  const { program } = build(made.scores)
  const reference = Interpreter.of(program)
  const label = random.int(0, 4)
  const found = await explain(made.model, input, { method: 'saliency', class: label })
  const scale = Math.max(...found.attribution.data.map(Math.abs))
  for (let trial = 0; trial < 24; trial++) {
    const at = random.int(0, elements.length - 1)
    const [above, below] = [1e-4, -1e-4].map(by => {
      const moved = Float64Array.from(elements)
      moved[at] += by
      return reference.run([moved])[0][label]
    })
    const [difference, gradient] = [(above - below) / 2e-4, found.attribution.data[at]]
    assert.ok(Math.abs(difference - gradient) < 1e-4 * scale, `at ${at}: ${gradient}, by differences ${difference}`)
  }
})

test('integrated gradients follow the trapezoidal rule, and add up to the difference of the scores', async () => {
  const steps = 5
  const { attribution } = await explain(model, input, { method: 'integrated', steps, baseline: grey, class: other })
  const wanted = new Float64Array(elements.length)
  for (let i = 0; i <= steps; i++) {
    const between = elements.map(value => grey + (value - grey) * (i / steps))
    const gradient = net.gradients(between, other, backs.saliency).input
    gradient.forEach((slope, j) => {
      wanted[j] += (slope * (elements[j] - grey)) / steps / (i % steps ? 1 : 2)
    })
  }
  near(attribution.data, wanted, 1e-3)
  for (const bytes of [model, smooth().model]) {
    const found = await explain(bytes, input, { method: 'integrated' })
    const { sum, difference, error } = found.completeness!
    assert.ok(error < 0.01, `${sum} of ${difference}`)
    near([found.attribution.data.reduce((all, value) => all + value, 0)], [sum], 1e-4, found.attribution.data)
  }
  const { difference } = (await explain(model, input, { method: 'integrated', steps, class: other })).completeness!
  near([difference], [scores[other] - net.scores(new Float32Array(elements.length))[other]], 1e-4, scores)
})

test('SmoothGrad without noise is saliency; its seed decides the bits', async () => {
  const plain = await explain(model, input, { method: 'saliency' })
  const still = await explain(model, input, { method: 'smoothgrad', noise: 0, samples: 2 })
  near(still.attribution.data, plain.attribution.data, 1e-6)
  const explainer = await Explainer.create(model, { method: 'smoothgrad', samples: 3, seed: baseSeed })
  const [one, two] = await Promise.all([explainer.explain(input), explainer.explain(input)])
  assert.equal(one.attribution.data, two.attribution.data)
  await explainer.release()
  const another = await explain(model, input, { method: 'smoothgrad', samples: 3, seed: baseSeed + 1 })
  assert.not.equal(another.attribution.data, one.attribution.data)
})

test('Grad-CAM and Grad-CAM++ are their formulas on the maps that onnxruntime gives', async () => {
  const oracle = await Oracle.load(net.onnx(1, true))
  const outputs = await oracle.run({ x: { dtype: 'float32', dims, data: elements } })
  const [, maps] = Object.values(outputs)
  const { maps: gradient } = net.gradients(elements, other, backs.saliency)
  const size = side * side
  const weighed = (weight: (a: readonly number[], g: readonly number[]) => number) => {
    const map = new Float64Array(size)
    for (let k = 0; k < maps.dims[1]; k++) {
      const [a, g] = [maps.data, gradient].map(all => Array.from(all, Number).slice(k * size, (k + 1) * size))
      for (let i = 0; i < size; i++) map[i] += weight(a, g) * a[i]
    }
    return map.map(value => Math.max(value, 0))
  }
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0)
  const plain = weighed((_, g) => sum(g) / size)
  const plus = weighed((a, g) =>
    sum(g.map(s => (s ** 2 / (2 * s ** 2 + sum(a.map(v => v * s ** 3)))) * Math.max(s, 0)))
  )
  for (const [method, wanted] of [
    ['gradcam', plain],
    ['gradcam++', plus]
  ] as const) {
    const found = await explain(model, input, { method, class: other })
    near(found.maps!.data, Array.from(maps.data, Number))
    near(found.maps!.gradient, gradient)
    assert.equal([found.map.width, found.map.height, found.maps!.dims], [side, side, [1, 6, side, side]])
    near(found.map.data, wanted)
    // Kernels of 3 with a border of 1 keep every element over its pixel.
    assert.equal(found.map.placement, { left: 0.5 / side, top: 0.5 / side, across: 1 / side, down: 1 / side })
    const named = await explain(model, input, { method, class: other, layer: found.layer })
    assert.equal(named.map, found.map)
  }
})

test('occlusion is what plain runs give, of sessions and of files with and without a free batch', async () => {
  const [window, stride, baseline] = [5, 3, 0.4]
  const starts = [0, 3, 6, 7]
  const probability = (x: Float32Array) => softmax(net.scores(x))[other]
  const drops = starts.flatMap(top =>
    starts.map(left => {
      const covered = elements.map((value, i) => {
        const [y, x] = [Math.floor(i / side) % side, i % side]
        return y >= top && y < top + window && x >= left && x < left + window ? baseline : value
      })
      return probability(elements) - probability(covered)
    })
  )
  const options = { method: 'occlusion', window, stride, baseline, class: other } as const
  const session = await InferenceSession.create(await compile(net.onnx('N')))
  const models: Explained[] = [model, await compile(model), await compile(net.onnx('N')), session]
  for (const each of models) {
    const found = await explain(each, input, options)
    assert.equal(found.attribution.dims, [4, 4])
    near(found.attribution.data, drops)
    near([found.score], [probability(elements)])
    const cover = (y: number, x: number) =>
      drops.filter((_, i) => {
        const [top, left] = [starts[i >> 2], starts[i & 3]]
        return y >= top && y < top + window && x >= left && x < left + window
      })
    const mean = (list: number[]) => Math.max(list.reduce((a, b) => a + b, 0) / list.length, 0)
    near(
      found.map.data,
      Array.from({ length: side * side }, (_, i) => mean(cover(Math.floor(i / side), i % side))),
      1e-4,
      drops
    )
  }
  // Nobody has closed it.
  await session.run({ x: input })
  await session.release()
})

test('channels may come last', async () => {
  const m = new ModelBuilder(new Random('last'))
  const x = m.input([1, 8, 8, 3], 'float32', [-1, 1], 'x')
  const conv = m.add('Conv', [m.add('Transpose', [x], { perm: [0, 3, 1, 2] }), m.weights([4, 3, 3, 3])])
  const pooled = m.add('Flatten', [m.add('GlobalAveragePool', [m.add('Relu', [conv])])])
  const bytes = m.output(m.add('Gemm', [pooled, m.weights([4, 3])])).encode()
  const picture = new Tensor('float32', Float32Array.from(random.values(192, [-1, 1])), [1, 8, 8, 3])
  const cam = await explain(bytes, picture)
  assert.equal([cam.map.width, cam.map.height], [6, 6])
  const found = await explain(bytes, picture, { method: 'saliency' })
  assert.equal([found.map.width, found.map.height, found.attribution.dims], [8, 8, [1, 8, 8, 3]])
  near(
    found.map.data,
    Array.from({ length: 64 }, (_, i) => Math.max(...found.attribution.data.subarray(i * 3, i * 3 + 3).map(Math.abs)))
  )
})

test('Grad-CAM of MobileNetV2 takes little more than a run, in steps and in memory', () => {
  const bytes = zoo['mobilenet-v2'].build()
  const shape = [1, 3, 224, 224]
  const plain = build(bytes, { shapes: { input: shape } }).program
  const { program } = buildExplaining(bytes, shape, 'gradcam', {})
  const cost = (of: Program) => {
    const { header } = fileOf(of)
    return { work: workOf(header, header.calls, {}), memory: planProgram(header, {}).bytes }
  }
  const [run, cam] = [cost(plain), cost(program)]
  assert.ok(cam.work < run.work * 1.2, `${cam.work} of ${run.work} steps`)
  assert.ok(cam.memory < run.memory * 2, `${cam.memory} of ${run.memory} bytes`)
})

test('a layer lies where its receptive fields have their centres', async () => {
  const m = new ModelBuilder(new Random('placement'))
  const x = m.input([1, 3, 16, 24], 'float32', [-1, 1], 'x')
  // As TensorFlow pads: rows behind alone. Then as others do, and a Pad of its own.
  const one = m.add('Conv', [x, m.weights([4, 3, 3, 3])], { strides: [2, 2], pads: [0, 1, 1, 1] })
  const two = m.add('MaxPool', [one], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' })
  const wide = m.add('Relu', [m.add('Pad', [two, m.ints([0, 0, 1, 0, 0, 0, 0, 2])])])
  const pooled = m.add('Flatten', [m.add('GlobalAveragePool', [wide])])
  const bytes = m.output(m.add('Gemm', [pooled, m.weights([4, 3])])).encode()
  const { map } = await explain(bytes, new Tensor(Float32Array.from(random.values(3 * 16 * 24)), [1, 3, 16, 24]))
  assert.equal([map.height, map.width], [5, 8])
  const [top, left] = [1 + 1 * 2 - 1 * 4, 0 + 1 * 2]
  const { placement } = map
  near(
    [placement!.top * 16 - 0.5, placement!.left * 24 - 0.5, placement!.down, placement!.across],
    [top, left, 4 / 16, 4 / 24],
    1e-6
  )
})

test('a map is laid over the part of a picture that the model has seen', () => {
  const map = { data: Float32Array.of(0, 0, 0, 1), width: 2, height: 2 }
  const grey = { data: new Uint8Array(20 * 10 * 3).fill(100), width: 20, height: 10 }
  const shown = overlay(grey, map, { opacity: 1, region: { left: 5, top: 0, width: 10, height: 10 } })
  const at = (x: number, y: number) => [...shown.data.subarray((y * 20 + x) * 3, (y * 20 + x) * 3 + 3)]
  assert.equal(at(2, 5), [40, 40, 40])
  assert.equal(at(6, 1), [100, 100, 100])
  const [red, green] = at(14, 9)
  assert.ok(red > 180 && green < 80, `${at(14, 9)}`)
  assert.equal(peakOf(map, 20, 10), { x: 15, y: 7.5 })
  assert.throws(() => overlay(grey, map, { opacity: 1.5 }), /from 0 to 1/)
})

test('what cannot be explained is refused in one line', async () => {
  const compiled = await compile(model)
  const session = await InferenceSession.create(compiled)
  const refused = (given: Explained, options: ExplainerOptions & { class?: number }, message: RegExp) =>
    rejects(() => explain(given, input, options), message)
  for (const given of [compiled, session])
    await refused(given, {}, /gradcam needs gradients.*give the \.onnx; occlusion takes this one/)
  await session.release()
  await refused(model, { method: 'magic' as never }, /method "magic"; gradcam, .* are allowed/)
  await refused(model, { window: 3 }, /window is of no use with method gradcam; occlusion take/)
  await refused(model, { method: 'occlusion', window: side + 1 }, /window 13; 1 to 12 pixels/)
  await refused(model, { method: 'occlusion', window: 3, stride: 4 }, /stride 4 leaves pixels out/)
  await refused(model, { layer: 'nowhere' }, /layer "nowhere": the model has no such node or value; its last maps are/)
  await refused(model, { class: classes }, /class 4; the model has scores of 0 to 3/)
  await refused(model, { method: 'occlusion', class: -1 }, /class -1; the model has scores of 0 to 3/)
  await refused(model, { output: 'nothing' }, /no output "nothing"/)
  await refused(model, { device: 'abacus' }, /device "abacus"; wasm, webgpu, auto, reference are allowed/)
  await refused(model, { method: 'smoothgrad', noise: -1 }, /noise -1/)
  await refused(model, { numThreads: 17 }, /numThreads 17; a whole number from 1 to 16/)
  await rejects(() => explain(model, new Tensor(elements, [elements.length])), /the input is 432; one picture/)
  const m = new ModelBuilder(new Random('none'))
  const flat = m.add('Flatten', [m.input(dims, 'float32', [-1, 1], 'x')])
  const linear = m.output(m.add('Gemm', [flat, m.weights([elements.length, 3])])).encode()
  await refused(linear, {}, /no convolution whose maps could be weighed/)
  const k = new ModelBuilder(new Random('atan'))
  const bent = k.output(k.add('Atan', [k.add('Flatten', [k.input(dims, 'float32', [-1, 1], 'x')])])).encode()
  await rejects(() => explain(bent, input, { method: 'saliency' }), /Atan ".*has no gradient/, CompileError)
})

test.run()
