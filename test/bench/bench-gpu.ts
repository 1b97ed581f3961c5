// What the GPU benchmark knows without timing anything: bytes and arithmetic of dispatches, counted once more one by one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { devices } from '../../bench/gpu/devices.js'
import { halfModel } from '../../bench/gpu/half-model.js'
import { byKernel, joined, limitShare } from '../../bench/gpu/layers.js'
import { countKernels } from '../../bench/gpu/ort-kernels.js'
import { predict, timeOf } from '../../bench/gpu/predict.js'
import { gpuSession } from '../../bench/gpu/session.js'
import { totalOf, trafficOf } from '../../bench/gpu/traffic.js'
import { type Axis, columnsOf, inside, landing, linesOf, touched } from '../../bench/gpu/windows.js'
import { network } from '../../bench/networks.js'
import { openNullGpu } from '../../cli/device/gpu.js'
import { openChecked, openOn, subjectOf } from '../../cli/measure/subject.js'
import { halfBits } from '../../cli/model/halves.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { floatToHalf, halfToFloat } from '../../runtime/base/half.js'
import { env, type GpuDispatch, InferenceSession, Tensor } from '../../runtime/index.js'
import type { Block } from '../../shaders/dispatch.js'
import { shaders } from '../../shaders/kernels.js'
import { withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`bench:gpu (seed ${baseSeed})`)
const random = new Random('bench-gpu')

/** The dispatches of a kernel on a block, zero where it says nothing. */
function dispatchesOf(kernel: string, block: Block, operand: 'f32' | 'f16' = 'f32'): GpuDispatch[] {
  const whole = new Proxy(block, { get: (given, name) => given[name as string] ?? 0 })
  const named = shaders[kernel].dispatches(whole)
  return named.map((dispatch, pipeline) => ({
    ...dispatch,
    call: 0,
    node: 'node',
    kernel,
    block: whole,
    operand,
    pipeline
  }))
}

function drawAxis(): Axis {
  const axis = {
    in: random.int(1, 12),
    kernel: random.int(1, 4),
    stride: random.int(1, 3),
    dilation: random.int(1, 2),
    pad: random.int(0, 3)
  }
  const room = axis.in + 2 * axis.pad - (axis.kernel - 1) * axis.dilation - 1
  return room < 0 ? drawAxis() : { ...axis, out: Math.floor(room / axis.stride) + 1 }
}

const fieldsOf = (name: string, axis: Axis) => ({
  [`in${name}`]: axis.in,
  [`out${name}`]: axis.out,
  [`kernel${name}`]: axis.kernel,
  [`stride${name}`]: axis.stride,
  [`dilation${name}`]: axis.dilation,
  [`pad${name}`]: axis.pad
})
const single: Axis = { in: 1, out: 1, kernel: 1, stride: 1, dilation: 1, pad: 0 }

/** Input positions of every pair of output and kernel position, -1 for padding. */
function seen({ in: size, out, kernel, stride, dilation, pad }: Axis, o: number): number[] {
  assert.ok(o < out)
  return Array.from({ length: kernel }, (_, k) => o * stride + k * dilation - pad).map(at =>
    at >= 0 && at < size ? at : -1
  )
}

test('windows along an axis', () => {
  for (let round = 0; round < 50; round++) {
    const axis = drawAxis()
    const all = Array.from({ length: axis.out }, (_, o) => seen(axis, o)).flat()
    const valid = all.filter(at => at >= 0)
    assert.is(inside(axis), valid.length)
    assert.is(touched(axis), new Set(valid).size)
    // The transposed convolution of the same geometry turns inputs and outputs around, and pairs stay pairs.
    assert.is(landing({ ...axis, in: axis.out, out: axis.in }).pairs, valid.length)
  }
})

/** A convolution's loads and stores, workgroup by workgroup as product.wgsl makes them. */
function countConv(
  p: Block,
  h: Axis,
  w: Axis,
  [rowTiles, columnTiles, deep]: readonly number[],
  tile: number[]
): number {
  const pixels = p.batch * h.out * w.out
  const divided = deep > p.groups
  // Shares of sums instead of sums.
  let bytes = divided ? 4 * deep * pixels * Math.ceil(p.filters / 4) * 4 : 0
  for (let part = 0; part < p.groups; part++)
    for (let rowTile = 0; rowTile < rowTiles; rowTile++)
      for (let columnTile = 0; columnTile < columnTiles; columnTile++) {
        const columns = Math.min(p.filters - columnTile * tile[1], tile[1])
        bytes += 4 * p.kernelH * p.kernelW * p.channels * Math.ceil(columns / 4) * 4
        for (let row = rowTile * tile[0]; row < Math.min((rowTile + 1) * tile[0], pixels); row++) {
          const rows = seen(h, Math.floor(row / w.out) % h.out).filter(at => at >= 0).length
          bytes += 4 * rows * seen(w, row % w.out).filter(at => at >= 0).length * p.channels
          // The residual four at a time, and what is stored.
          if (!divided) bytes += (p.residual ? 16 : 0) * Math.ceil(columns / 4) + 4 * columns
        }
        // The bias for each row of invocations.
        if (!divided) bytes += 16 * tile[2] * Math.ceil(columns / 4)
      }
  return bytes
}

test('a convolution reads its rows for each tile of columns, its weights for each tile of rows', () => {
  for (let round = 0; round < 20; round++) {
    const [h, w] = [drawAxis(), drawAxis()]
    const block: Block = {
      batch: random.int(1, 3),
      groups: random.int(1, 2),
      // Of three to seven channels, and of few filters a group, it is made in patches.
      channels: random.int(0, 2) ? random.int(8, 20) : random.int(1, 2),
      filters: random.int(33, 150),
      ...fieldsOf('D', single),
      ...fieldsOf('H', h),
      ...fieldsOf('W', w),
      residual: random.int(0, 1)
    }
    const all = dispatchesOf('conv', block)
    const [dispatch] = all
    const { moved, macs, done } = trafficOf(dispatch, 'f32')!
    const least = totalOf(all, 'f32').least
    const { ROWS, QUADS, THREADS_X, THREADS_Y } = dispatch.constants!
    assert.is(moved, countConv(block, h, w, dispatch.groups, [ROWS * THREADS_Y, 4 * QUADS * THREADS_X, THREADS_Y]))
    const outputs = block.batch * h.out * w.out * block.filters * block.groups
    const weights = block.filters * block.groups * block.channels * h.kernel * w.kernel
    const inputs = block.batch * touched(h) * touched(w) * block.channels * block.groups
    const bias = block.filters * block.groups
    assert.is(least, 4 * (inputs + weights + bias + outputs * (block.residual ? 2 : 1)))
    assert.is(macs, outputs * block.channels * h.kernel * w.kernel)
    assert.is(done, macs)
    const halves = totalOf(
      all.map(each => ({ ...each, operand: 'f16' as const })),
      'f16'
    )
    assert.is(halves.least, (least - 4 * bias) / 2 + 4 * bias)
  }
})

test('sums that are divided are as many as are joined', () => {
  // 7 × 7 pixels of 512 channels are a handful of tiles.
  const axis = { in: 7, out: 7, kernel: 3, stride: 1, dilation: 1, pad: 1 }
  const sizes = { batch: 1, groups: 1, channels: 512, filters: 512 }
  const block = { ...sizes, ...fieldsOf('D', single), ...fieldsOf('H', axis), ...fieldsOf('W', axis) }
  const [making, joining] = dispatchesOf('conv', block)
  const split = making.groups[2]
  assert.ok(split > 1)
  assert.equal(joining.entry, 'joinSums')
  assert.is(joining.groups[1], split)
  const shares = 4 * split * 49 * 512
  const joined = trafficOf(joining, 'f32')!
  // The bias once for each four rows.
  assert.is(joined.moved, shares + 4 * (49 + 13) * 512)
  assert.is(joined.least, 4 * (49 * 512 + 512))
  assert.ok(shaders.conv.scratch!(joining.block) >= split * 49 * 512)
})

test('patches: a workgroup loads its part of the input once for all filters, its weights once for all pixels', () => {
  for (let round = 0; round < 20; ) {
    const [h, w] = [drawAxis(), drawAxis()]
    const groups = random.int(1, 5)
    const channels = groups > 1 ? random.int(2, 9) : random.int(3, 7)
    const filters = random.int(1, groups > 1 ? 32 : 80)
    const sizes = { batch: 1, groups, channels, filters, ...fieldsOf('H', h), ...fieldsOf('W', w) }
    const [dispatch] = dispatchesOf('conv', { ...fieldsOf('D', single), ...sizes })
    const stored = h.out * w.out * groups * filters
    if ((groups === 1 && h.kernel * w.kernel === 1) || stored < 4096) continue
    round++
    assert.is(dispatch.entry, 'patches')
    const { TALL, ROWS, QUADS } = dispatch.constants!
    const span = (axis: Axis, first: number, count: number) =>
      Array.from({ length: axis.in }, (_, at) => at + axis.pad - first * axis.stride).filter(
        at => at >= 0 && at <= (count - 1) * axis.stride + (axis.kernel - 1) * axis.dilation
      ).length
    const quads = Math.ceil(filters / 4)
    let loads = 0
    for (let top = 0; top < h.out; top += TALL)
      for (let left = 0; left < w.out; left += 8)
        for (let first = 0; first < groups * quads; first += QUADS) {
          const own = Array.from({ length: QUADS }, (_, i) => first + i).filter(quad => quad < groups * quads)
          const parts = new Set(own.map(quad => Math.floor(quad / quads)))
          loads += span(h, top, TALL) * span(w, left, 8) * channels * parts.size
          loads += 4 * own.length * (h.kernel * w.kernel * channels + (TALL * 8) / ROWS)
        }
    assert.is(trafficOf(dispatch, 'f32')!.moved, 4 * (loads + stored))
    assert.is(shaders.conv.scratch!(dispatch.block), 0)
  }
})

test('windows slide: what four columns of a line take in is loaded once', () => {
  for (let round = 0; round < 20; round++) {
    const [h, w] = [drawAxis(), drawAxis()]
    const groups = random.int(1, 9)
    const block = { batch: 1, groups, channels: 1, filters: 1, ...fieldsOf('H', h), ...fieldsOf('W', w) }
    const [dispatch] = dispatchesOf('depthwise', { ...fieldsOf('D', single), ...block })
    const { ROWS, QUADS, KEPT } = dispatch.constants!
    assert.is(KEPT, h.kernel * w.kernel)
    const valid = (axis: Axis, at: number) => at >= 0 && at < axis.in
    let [lines, columns] = [0, 0]
    for (let first = 0; first < h.out; first += ROWS) {
      const seen = new Set<number>()
      for (let o = first; o < first + ROWS; o++)
        for (let k = 0; k < h.kernel; k++) seen.add(o * h.stride + k * h.dilation - h.pad)
      lines += [...seen].filter(at => valid(h, at)).length
    }
    for (let first = 0; first < w.out; first += 4) {
      const all = [0, 1, 2, 3].flatMap(i =>
        Array.from({ length: w.kernel }, (_, k) => (first + i) * w.stride + k * w.dilation - w.pad)
      )
      columns += (w.dilation === 1 ? [...new Set(all)] : all).filter(at => valid(w, at)).length
    }
    assert.is(linesOf(h, ROWS), lines)
    // Where windows have gaps, nothing is loaded for two of them.
    assert.is(columnsOf(w), columns)
    const channels = Math.ceil(groups / 4) * 4
    const pixels = h.out * w.out
    const blocks = Math.ceil(h.out / ROWS) * Math.ceil(w.out / 4)
    const kept = dispatch.groups[0] * dispatch.groups[1] * KEPT * QUADS * 4
    const loads = lines * columns * channels + kept + blocks * channels
    assert.is(trafficOf(dispatch, 'f32')!.moved, 4 * (loads + pixels * groups))
  }
})

test('a prediction is the longer of arithmetic and bytes, on the processors that have work', () => {
  const { dispatches } = predict('a product', dispatchesOf('gemm', { rows: 64, inner: 64, columns: 64 }))
  const [{ workgroups, done, least, on }] = dispatches
  devices.forEach(({ processors, gflops, bandwidth }, i) => {
    const turns = Math.ceil(workgroups / processors)
    assert.ok(Math.abs(on[i].occupancy - workgroups / (turns * processors)) < 1e-12)
    const expected = Math.max((2 * done) / gflops / 1e3 / on[i].occupancy, least / bandwidth / 1e3)
    assert.ok(Math.abs(timeOf(on[i]) / expected - 1) < 1e-9)
  })
})

test('products of few rows, and of two activations', () => {
  const [rows, inner, columns] = [random.int(1, 2), random.int(1, 300), random.int(1, 90)]
  const few = trafficOf(dispatchesOf('gemm', { rows, inner, columns })[0], 'f32')!
  const padded = Math.ceil(columns / 4) * 4
  const panels = Math.ceil(columns / 8)
  assert.is(few.moved, 4 * (rows * panels * inner * 9 + rows * (padded + columns)))
  assert.is(few.least, 4 * (rows * inner + inner * columns + columns + rows * columns))
  // The second operand is one for all d1 products, and a constant, which stays in single precision.
  const [d0, d1] = [random.int(1, 4), random.int(2, 4)]
  const many = { rows: 40, inner, columns: 50, d0, d1, x0: 9, x1: 1, w0: 5, w1: 0, wAt: 2 ** 31 + 4 }
  // Where sums are divided, a second dispatch writes the results.
  const parts = dispatchesOf('matmul', many).map(each => trafficOf(each, 'f16')!)
  const [least, macs] = (['least', 'macs'] as const).map(of => parts.reduce((sum, each) => sum + each[of], 0))
  assert.is(macs, 2000 * inner * d0 * d1)
  assert.is(least, 2 * d0 * d1 * (40 * inner + 2000) + 4 * d0 * inner * 50)
})

test('operands that stand still are read again for each element', () => {
  const [outer, inner] = [random.int(2, 9), 4 * random.int(1, 9)]
  const sizes = { d0: 1, d1: 1, d2: 1, d3: 1, d4: outer, d5: inner }
  const steps = { a4: inner, a5: 1, b4: 1, b5: 0, y4: inner, y5: 1 }
  // A pitch that is no multiple of four keeps to single elements.
  const [dispatch] = dispatchesOf('binary', { ...sizes, ...steps, y4: inner + 1, bAt: 2 ** 31 })
  assert.is(dispatch.entry, 'binary')
  const [wide] = dispatchesOf('binary', { ...sizes, ...steps, b4: 4, bAt: 2 ** 31 })
  assert.is(wide.entry, 'binary4')
  const count = outer * inner
  assert.is(trafficOf(dispatch, 'f32')!.moved, 4 * 3 * count)
  assert.is(trafficOf(wide, 'f32')!.moved, 4 * (2 * count + count / 4))
  for (const each of [dispatch, wide]) assert.is(trafficOf(each, 'f16')!.least, 2 * 2 * count + 4 * outer)
})

test('a shader without a model is named, not guessed', () => {
  const [dispatch] = dispatchesOf('softmax', { count: 10, k0: 1, k1: 1, k2: 1, k3: 3 })
  const strange = { ...dispatch, entry: 'strange' }
  assert.is(trafficOf(strange, 'f32'), undefined)
  const { unknown, moved } = totalOf([dispatch, strange], 'f32')
  assert.equal(unknown, ['strange'])
  assert.is(moved, 4 * 30 * 4)
})

test('layers add up to kernels, and are held against the nearer limit', () => {
  const gemm = dispatchesOf('gemm', { rows: 64, inner: 64, columns: 64 })[0]
  const softmax = dispatchesOf('softmax', { count: 64, k0: 64, k1: 1, k2: 1, k3: 1 })[0]
  const times = random.values(3, [0.5, 2])
  const calls = ['gemm', 'softmax', 'gemm'].map((kernel, i) => ({ kernel, node: `n${i}`, milliseconds: times[i] }))
  const dispatches = [gemm, softmax, gemm].map((dispatch, call) => ({ ...dispatch, call }))
  const layers = joined(calls, dispatches, 'f32')
  assert.ok(Math.abs(layers.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  const kernels = byKernel(layers)
  const product = kernels.find(({ all }) => all.kernel === 'gemm')!
  assert.is(product.all.macs, 2 * 64 ** 3)
  assert.is(product.all.milliseconds, times[0] + times[2])
  assert.ok(kernels[0].all.milliseconds >= kernels[1].all.milliseconds)
  // At a gigaflop a second, or a gigabyte a second, whichever is scarce.
  assert.is(limitShare(layers[0], 1, 1e9).by, 'compute')
  const { share, by } = limitShare(layers[1], 1, 1)
  assert.is(by, 'bandwidth')
  assert.ok(Math.abs(share - (4 * 64 * 64 * 2) / 1e6 / times[1]) < 1e-9)
})

test("onnxruntime's profile is counted by kernels and programs", () => {
  const node = (name: string, provider: string) => ({ cat: 'Node', name, args: { provider } })
  const events = [
    { cat: 'Session', name: 'model_run' },
    node('conv_kernel_time', 'WebGpuExecutionProvider'),
    node('conv_fence_before', 'WebGpuExecutionProvider'),
    node('shape_kernel_time', 'CPUExecutionProvider'),
    { cat: 'Api', name: 'conv&Conv&Transpose' },
    { cat: 'Api', name: 'conv&Conv&Conv2dMM' }
  ]
  assert.equal(countKernels(events), { nodes: 2, onCpu: 1, dispatches: 2 })
  assert.equal(countKernels([...events, ...events], 2), { nodes: 2, onCpu: 1, dispatches: 2 })
})

test('a network in half precision computes the same, roughly', async () => {
  const name = 'resnet20-cifar'
  const onnx = zoo[name].build({ batch: 1 })
  const [single, half] = [await compile(onnx), await compile(halfModel(onnx), { weights: 'f16' })]
  const data = Float32Array.from(random.values(3 * 32 * 32, [-1, 1]))
  assert.equal(halfBits(data), Uint16Array.from(data, floatToHalf))
  const run = async (file: Uint8Array, input: Tensor) => {
    const session = await InferenceSession.create(file)
    assert.is(session.inputMetadata[0].type, input.type)
    const { output } = await session.run({ input })
    await session.release()
    return output
  }
  const expected = await run(single, new Tensor('float32', data, [1, 3, 32, 32]))
  const actual = await run(half, new Tensor('float16', Uint16Array.from(data, floatToHalf), [1, 3, 32, 32]))
  assert.is(actual.type, 'float16')
  const numbers = Array.from(actual.data as Uint16Array, halfToFloat)
  const wanted = expected.data as Float32Array
  const largest = Math.max(...wanted.map(Math.abs))
  assert.is(numbers.length, wanted.length)
  numbers.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 0.01 * largest, `element ${i}`))
})

const noDawn = await openNullGpu().then(
  () => undefined,
  error => (error as Error).message
)
if (noDawn) skip('the dispatches of whole networks', noDawn)
else
  test('the dispatches of whole networks: all have a model, and do the arithmetic of the graph', async () => {
    env.webgpu.gpu = await openNullGpu()
    for (const name of ['lenet5', 'mobilenet-v3-small', 'shufflenet-v2', 'resnet20-cifar']) {
      const subject = network(name)
      const { session } = await gpuSession(subject, 'f32')
      const { dispatches } = session
      const { unknown, macs, done } = totalOf(dispatches, 'f32')
      assert.equal(unknown, [], name)
      assert.is(macs, subject.macs, name)
      assert.ok(done <= macs && done > macs / 4, name)
      for (const dispatch of dispatches) {
        const { moved, least } = trafficOf(dispatch, 'f32')!
        assert.ok(least > 0 && least <= moved, `${name}: ${dispatch.node} ${dispatch.entry} ${least} ${moved}`)
      }
      const pipelines = dispatches.map(({ pipeline }) => pipeline)
      assert.is(new Set(pipelines).size, Math.max(...pipelines) + 1)
      // Gates are made by the calls behind them.
      assert.ok(dispatches.every(({ call }, i) => !i || call - dispatches[i - 1].call <= 2))
      await session.release()
    }
    const session = await InferenceSession.create(await compile(zoo.lenet5.build()))
    assert.equal(session.dispatches, [])
    await session.release()
    env.webgpu.gpu = undefined
  })

const noGpu = await withoutGpu()
if (noGpu) skip("onnxruntime's webgpu provider", noGpu)
else
  test("onnxruntime's webgpu provider as a peer", async () => {
    const model = new ModelBuilder()
    const y = model.add('Conv', [model.input([1, 4, 8, 8]), model.weights([8, 4, 3, 3])])
    const subject = subjectOf('conv', model.output(y).encode())
    const own = await openOn('cairn', subject, { threads: 1 })
    const checked = await openChecked('ort-webgpu', subject, { threads: 1 }, await own.run(), 1e-3)
    assert.type(checked, 'object', String(checked))
    await own.release()
  })

test.run()
