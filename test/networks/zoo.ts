// The zoo's networks have the sizes that their papers (or the reference implementations) report.

import type { onnx } from 'onnx-proto'
import onnxProto from 'onnx-proto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GraphBuilder } from '../../models/builder/builder.js'
import { contrastNorm, stochasticPool } from '../../models/builder/contrast.js'
import type { Tensor } from '../../models/builder/tensor.js'
import { zoo } from '../../models/index.js'
import { compileModel, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { Oracle } from '../support/onnx/oracle.js'
import { Random } from '../support/random.js'

const { ModelProto } = onnxProto.onnx
const test = suite('zoo')

/** The learnable operands of the operators that have some. */
const learnable: Record<string, number[]> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  BatchNormalization: [1, 2],
  GroupNormalization: [1, 2],
  PRelu: [1]
}

const product = (dims: number[]) => dims.reduce((a, b) => a * b, 1)

function decode(bytes: Uint8Array): onnx.IGraphProto {
  return ModelProto.decode(bytes).graph!
}

function dims(value: onnx.IValueInfoProto): (number | string)[] {
  return value.type!.tensorType!.shape!.dim!.map(dim => dim.dimParam || Number(dim.dimValue))
}

/** Counts what the nodes refer to, checking that each operand is there once and has as much data as its shape says. */
function countParameters(graph: onnx.IGraphProto): number {
  const initializers = new Map(graph.initializer!.map(tensor => [tensor.name!, tensor]))
  assert.is(initializers.size, graph.initializer!.length)
  let count = 0
  for (const node of graph.node!) {
    for (const i of learnable[node.opType!] ?? []) {
      const tensor = initializers.get(node.input![i])
      if (!tensor) continue
      const size = product(tensor.dims!.map(Number))
      assert.is(tensor.rawData!.length, 4 * size)
      count += size
    }
  }
  return count
}

// One of the four VGGs and one of the two OverFeats are enough of their half gigabyte each.
const skipped = new Set(['vgg11', 'vgg13', 'vgg19', 'overfeat'])

for (const [name, entry] of Object.entries(zoo)) {
  if (skipped.has(name)) continue
  test(`${name} has ${entry.parameters} parameters`, () => {
    const graph = decode(entry.build())
    assert.is(countParameters(graph), entry.parameters)
    assert.equal(dims(graph.input![0]), entry.input)
    assert.is(dims(graph.output![0])[0], name === 'faster-rcnn' ? 'detections' : 'N')
    assert.is(graph.output![0].name, 'output')
    const made = new Set(graph.node!.flatMap(node => node.output!))
    for (const output of graph.output!) assert.ok(made.has(output.name!), output.name!)
    const names = graph.node!.map(node => node.name)
    assert.is(new Set(names).size, names.length)
  })
}

test('a seed gives the same bytes, another seed others', () => {
  const { build } = zoo['resnet20-cifar']
  const bytes = build({ seed: 7 })
  assert.is(Buffer.compare(bytes, build({ seed: 7 })), 0)
  assert.is.not(Buffer.compare(bytes, build({ seed: 8 })), 0)
})

test('options set the batch and the number of classes', () => {
  const graph = decode(zoo.lenet5.build({ batch: 4, classes: 26 }))
  assert.equal(dims(graph.input![0]), [4, 1, 32, 32])
  assert.equal(dims(graph.output![0]), [4, 26])
  assert.is(countParameters(graph), 61_706 + 16 * 85)
})

test('contrast normalisation, L2 and stochastic pooling are the formulas of their papers', async () => {
  const [depth, side] = [3, 10]
  const picture = new Random('contrast').values(depth * side * side)
  const at = (values: readonly number[], c: number, y: number, x: number) => values[(c * side + y) * side + x]
  const places = Array.from({ length: side * side }, (_, i) => [Math.floor(i / side), i % side])
  /** The mean over all channels of a neighbourhood: four times that of 3x3, of what is inside. */
  const smooth = (values: readonly number[]) => {
    let mean = places.map(([y, x]) => (at(values, 0, y, x) + at(values, 1, y, x) + at(values, 2, y, x)) / 3)
    for (let time = 0; time < 4; time++) {
      const before = mean
      mean = places.map(([y, x]) => {
        const near = places.flatMap(([v, u], i) => (Math.abs(v - y) < 2 && Math.abs(u - x) < 2 ? [before[i]] : []))
        return near.reduce((a, b) => a + b, 0) / near.length
      })
    }
    return mean
  }
  const area = side * side
  const means = smooth(picture)
  const rest = picture.map((value, i) => value - means[i % area])
  const deviations = smooth(rest.map(value => value * value)).map(Math.sqrt)
  const usual = deviations.reduce((a, b) => a + b, 0) / area
  const normal = rest.map((value, i) => value / Math.max(usual, deviations[i % area]))
  /** One number for each window of 2x2. */
  const pooled = (values: readonly number[], of: (window: number[]) => number) =>
    Array.from({ length: depth * 25 }, (_, i) => {
      const [c, y, x] = [Math.floor(i / 25), 2 * (Math.floor(i / 5) % 5), 2 * (i % 5)]
      return of([at(values, c, y, x), at(values, c, y, x + 1), at(values, c, y + 1, x), at(values, c, y + 1, x + 1)])
    })
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const squares = (values: number[]) => sum(values.map(value => value * value))
  const half = { kernel: 2, stride: 2 }
  const rectified = normal.map(value => Math.max(value, 0))
  const cases: [number[], (x: Tensor) => Tensor][] = [
    [normal, x => x],
    [pooled(normal, window => Math.sqrt(squares(window))), x => x.l2Pool(half, 'pool')],
    [
      pooled(rectified, window => squares(window) / Math.max(sum(window), 1e-12)),
      x => stochasticPool(x.relu(), half, 'pool')
    ]
  ]
  for (const [expected, behind] of cases) {
    const graph = new GraphBuilder('contrast', {})
    const model = graph.finish(behind(contrastNorm(graph.input([depth, side, side]), 'contrast')))
    const feeds = { input: { dtype: 'float32', dims: [1, depth, side, side], data: picture } } as const
    const [runner, oracle] = [await Runner.load(compileModel(model)), await Oracle.load(model)]
    const result = await oracle.run(feeds)
    assertClose(result, { output: { ...result.output, data: expected } })
    assertClose(await runner.run(feeds), result)
    await Promise.all([runner.release(), oracle.release()])
  }
})

test('weights follow the initialisation of He et al.', () => {
  const graph = decode(zoo['lenet-caffe'].build())
  const { rawData, dims } = graph.initializer!.find(tensor => tensor.name === 'ip1.weight')!
  const weights = new Float32Array(new Uint8Array(rawData!).buffer)
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length
  const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length
  const expected = 2 / Number(dims![1])
  assert.ok(Math.abs(mean) < 4 * Math.sqrt(expected / weights.length))
  assert.ok(Math.abs(variance / expected - 1) < 0.02)
})

test.run()
