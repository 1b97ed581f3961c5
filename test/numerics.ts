// NaN, infinities and numbers at the ends of the range: every operator that computes makes of them what onnxruntime does, on
// the reference and on each kernel of the CPU path, alone and divided among threads. On WebGPU they need not: WGSL
// lets compilers assume that there are none. docs/numerics.md says where Cairn or onnxruntime departs from ONNX.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../compiler/index.js'
import { Interpreter } from '../compiler/reference.js'
import { specialCases, type Values } from './numerics/cases.js'
import { modelOf } from './support/case.js'
import { Guarded } from './support/guarded.js'
import { type Named, Oracle } from './support/oracle.js'
import { baseSeed, Random } from './support/random.js'
import { skip } from './support/skip.js'

const test = suite(`special numbers (seed ${baseSeed})`)

/** Kernels that mix neighbours in a transform, where an infinity of one becomes NaN of others. */
const transforming = /^winograd/

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
    if (deviates) skip(`${name} against onnxruntime`, deviates)
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
      if (kernel && transforming.test(kernel)) continue
      const { program } = build(model, { ...item.options, kernels: kernel ? [kernel] : [] })
      for (const threads of [1, 3])
        compare(`${kernel ?? 'wasm'}, ${threads} threads`, (await Guarded.of(program, {}, threads)).run(inputs))
    }
    assert.ok(!problems.length, `\n${problems.join('\n')}`)
  })
}

test.run()
