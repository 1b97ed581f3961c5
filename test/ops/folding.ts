// Every operator case with constants for its inputs, all and each alone: what the compiler makes of them ahead of time, and how
// it lays out those that it leaves to a run, is what onnxruntime gives.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../runtime/file/format.js'
import { compileModel, Runner } from '../support/cairn.js'
import { casesOf, checkRun, type Family, families, prepare } from '../support/cases/op-cases.js'
import { assertClose } from '../support/compare.js'
import { decodeModel, encodeModel, ModelBuilder, tensorProto } from '../support/onnx/model.js'
import { type Named, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

/** The model with initializers in the place of some inputs. */
function settled(bytes: Uint8Array, constants: Named): Uint8Array {
  const model = decodeModel(bytes)
  const graph = model.graph!
  graph.input = graph.input!.filter(({ name }) => !(name! in constants))
  for (const [name, { dtype, dims, data }] of Object.entries(constants))
    graph.initializer!.push(tensorProto(name, { dtype, dims: [...dims], data: Array.from(data, Number) }))
  return encodeModel(model)
}

/** Families of which some operators are spelled with others first, or counted, and then left to a run. */
const partly: ReadonlySet<Family> = new Set([
  ...(['normalize', 'pad', 'gather', 'scatter', 'roialign'] as const),
  ...(['nonMaxSuppression', 'compound', 'einsum', 'integer'] as const),
  ...(['lp', 'positions', 'columns', 'findings'] as const)
])

/** Whether a run only copies what the compiler knows. */
function isFolded(file: Uint8Array): boolean {
  return decode(file).header.kernels.every(({ name }) => name === 'unary')
}

const pick = (feeds: Named, wanted: (name: string) => boolean): Named =>
  Object.fromEntries(Object.entries(feeds).filter(([name]) => wanted(name)))

for (const family of Object.keys(families) as Family[]) {
  const test = suite(family)
  for (const each of casesOf(family))
    test(`${each.title} of constants (seed ${baseSeed})`, async () => {
      const { model, runs } = await prepare(each)
      for (const { feeds, expected } of runs) {
        const names = Object.keys(feeds)
        // Sizes of which some are free and others not cannot be compared.
        const choices = names.length > 1 && !each.item.bindings ? [names, ...names.map(name => [name])] : [names]
        for (const chosen of choices) {
          const file = compileModel(
            settled(
              model,
              pick(feeds, name => chosen.includes(name))
            )
          )
          if (chosen === names && !partly.has(family)) assert.ok(isFolded(file), 'it is left to a run')
          const runner = await Runner.load(file, 'wasm')
          checkRun(each.item, await runner.run(pick(feeds, name => !chosen.includes(name))), expected)
          await runner.release()
        }
      }
    })
  test.run()
}

const known = suite('what shapes and scales depend on')
const floats = (...data: number[]) => ({ dtype: 'float32', dims: [data.length], data }) as const
const models: Readonly<Record<string, (m: ModelBuilder) => string>> = {
  'a Reshape to the largest of three': m =>
    m.add('Reshape', [m.input([2, 6]), m.add('Max', [m.ints([1, 3]), m.ints([1, 4]), m.ints([1, 12])])]),
  'a Resize by the largest of three': m =>
    m.add('Resize', [
      m.input([1, 2, 3, 4]),
      undefined,
      m.add(
        'Max',
        [floats(1, 0.5, 2, 1), floats(0, 1, 1, 1), floats(1, 1, 1, 3)].map(each => m.constant(each))
      )
    ]),
  'a row by the last index of an axis': m => {
    const x = m.input(['n', 3])
    const count = m.add('Gather', [m.add('Shape', [x]), m.constant({ dtype: 'int64', dims: [], data: [0] })])
    const table = m.constant({ dtype: 'float32', dims: [5, 3], data: m.random.values(15) })
    return m.add('Gather', [table, m.add('Sub', [count, m.constant({ dtype: 'int64', dims: [], data: [1] })])])
  },
  'a Conv of a computed size': m =>
    m.add('Conv', [
      m.add('Reshape', [m.add('Cast', [m.add('Shape', [m.input(['n', 3, 'h', 5])])], { to: 1 }), m.ints([1, 2, 2, 1])]),
      m.constant({ dtype: 'float32', dims: [1, 2, 1, 1], data: [1, 10] })
    ])
}
for (const [name, make] of Object.entries(models))
  known(name, async () => {
    const random = new Random(name)
    const m = new ModelBuilder(random)
    const model = m.output(make(m)).encode()
    const feeds = randomFeeds(m.inputs, random, { n: 2, h: 7 })
    const oracle = await Oracle.load(model)
    const runner = await Runner.load(compileModel(model), 'wasm')
    assertClose(await runner.run(feeds), await oracle.run(feeds))
    await Promise.all([runner.release(), oracle.release()])
  })
known.run()
