// NaN, infinities and numbers at the ends of the range: every operator that computes makes of them what onnxruntime does, on
// the reference and on each kernel of the CPU path, alone and divided among threads. On WebGPU they need not: WGSL
// lets compilers assume that there are none. docs/numerics.md says where Cairn or onnxruntime departs from ONNX.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { modelOf } from '../support/cases/case.js'
import { Guarded } from '../support/guarded.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Named, type Numbers, Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { specialCases, type Values } from './numerics/cases.js'

const test = suite(`special numbers (seed ${baseSeed})`)

/** Kernels that mix neighbours in a transform, where an infinity of one becomes NaN of others. */
const transforming = /^winograd/
/** How far from an input the furthest output of a tile that reads it lies. */
const reach = 5

/** What Winograd's tiles must keep: what is not finite stays so, and what lies outside of their reach stays as it is. */
function spilled(actual: Values, expected: Values, { dims, data }: Numbers, [, filters, rows, columns]: number[]) {
  const [, channels, height, width] = dims
  const found: string[] = []
  for (let i = 0; i < expected.length; i++) {
    const [column, row] = [i % columns, Math.floor(i / columns) % rows]
    const image = Math.floor(i / columns / rows / filters)
    let near = false
    for (let c = 0; c < channels && !near; c++)
      for (let y = Math.max(row - reach, 0); y <= Math.min(row + reach, height - 1) && !near; y++)
        for (let x = Math.max(column - reach, 0); x <= Math.min(column + reach, width - 1) && !near; x++)
          near = !Number.isFinite(data[((image * channels + c) * height + y) * width + x])
    const wrong = near
      ? !Number.isFinite(expected[i]) && Number.isFinite(actual[i])
      : Math.abs(actual[i] - expected[i]) > 1e-3
    if (wrong) found.push(`element ${i} is ${actual[i]}, not ${expected[i]}`)
  }
  return found
}

/** Where two lists differ: in kind (NaN, an infinity, finite), or as finite numbers. */
function differences(actual: Values, expected: Values, inputs: Named): string[] {
  const found: string[] = []
  for (let i = 0; i < expected.length; i++) {
    const [got, want] = [actual[i], Math.fround(expected[i])]
    if (Object.is(got, want) || got === want) continue
    // Below the least normal number single precision may flush.
    if (Math.abs(got - want) <= 1e-4 * Math.abs(want) + 1.2e-38) continue
    if (Math.abs(want) < 1e3 && Math.abs(got - want) < 1e-5) continue
    const at = Object.values(inputs).map(({ data }) => data[i] ?? '')
    found.push(`element ${i} is ${got}, not ${want} (inputs there: ${at.join(', ')})`)
  }
  return found
}

for (const item of specialCases) {
  const { name, deviates } = item
  test(name, async () => {
    const random = new Random(name)
    const builder = modelOf(item, random)
    const model = builder.encode()
    const feeds: Named = Object.fromEntries(
      builder.inputs.map(({ name, dims }, i) => {
        const sizes = dims as number[]
        return [name, { dtype: 'float32', dims: sizes, data: item.fill(sizes, i, random) }]
      })
    )
    const inputs = builder.inputs.map(({ name }) => feeds[name].data)
    const plain = build(model, item.options)
    const reference = Interpreter.of(plain.program).run(inputs)
    const oracle = await Oracle.load(model)
    const results = deviates ? undefined : await oracle.run(feeds)
    await oracle.release()
    const expected = plain.program.outputs.map(({ name }, i) => results?.[name].data ?? reference[i])
    const problems: string[] = []
    const compare = (what: string, outputs: readonly Values[]) =>
      outputs.forEach((output, i) => {
        const all = differences(output, expected[i], feeds)
        if (all.length) problems.push(`${what}: ${all.length} differ; ${all.slice(0, 4).join('; ')}`)
      })
    compare(
      'reference',
      reference.map(data => Float32Array.from(data))
    )
    const kernels = [...plain.choices.values()].flatMap(({ choices }) => choices.map(({ kernel }) => kernel))
    for (const kernel of kernels.length ? new Set(kernels) : [undefined]) {
      const { program } = build(model, { ...item.options, kernels: kernel ? [kernel] : [] })
      for (const threads of [1, 3]) {
        const outputs = (await Guarded.of(program, {}, threads)).run(inputs)
        const what = `${kernel ?? 'wasm'}, ${threads} threads`
        if (!kernel || !transforming.test(kernel)) compare(what, outputs)
        else {
          const all = spilled(outputs[0], expected[0], Object.values(feeds)[0], program.outputs[0].shape as number[])
          if (all.length) problems.push(`${what}: ${all.length} differ; ${all.slice(0, 4).join('; ')}`)
        }
      }
    }
    assert.ok(!problems.length, `\n${problems.join('\n')}`)
  })
}

test('a weight far beyond the others does not drown their sums', async () => {
  for (const [k, largest] of [
    [3, 3e38],
    [3, 1e6],
    [5, 1e12]
  ]) {
    const random = new Random(`a weight of ${largest}`)
    const builder = new ModelBuilder(random)
    const data = random.values(8 * 8 * k * k)
    // It meets the padding alone in the first row and column of the outputs, where the others' sums are to be seen.
    data[0] = largest
    const weights = builder.constant({ dtype: 'float32', dims: [8, 8, k, k], data })
    const x = builder.input([1, 8, 12, 12])
    const model = builder.output(builder.add('Conv', [x, weights], { pads: Array(4).fill((k - 1) / 2) })).encode()
    const feeds = {
      [builder.inputs[0].name]: { dtype: 'float32', dims: [1, 8, 12, 12], data: random.values(1152) }
    } as const
    const oracle = await Oracle.load(model)
    const [expected] = Object.values(await oracle.run(feeds))
    await oracle.release()
    const kernels = k === 3 ? ['winograd2', 'winograd4'] : ['winograd2x5']
    const [actual] = (await Guarded.of(build(model, { kernels }).program, {})).run(
      Object.values(feeds).map(feed => feed.data)
    )
    for (let i = 0; i < 8 * 144; i++) {
      const alone = i % 12 < (k - 1) / 2 || i % 144 < 12 * ((k - 1) / 2)
      if (alone)
        assert.ok(Math.abs(actual[i] - Number(expected.data[i])) < 1e-3, `${k}x${k}, element ${i} is ${actual[i]}`)
    }
  }
})

test.run()
