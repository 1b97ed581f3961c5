// Every operator case with constants for its inputs, all and each alone: what the compiler makes of them ahead of time, and how
// it lays out those that it leaves to a run, is what onnxruntime gives.
import { suite } from 'uvu'
import { compileModel, Runner } from './support/cairn.js'
import { decodeModel, encodeModel, tensorProto } from './support/model.js'
import { casesOf, checkRun, type Family, families, prepare } from './support/op-cases.js'
import type { Named } from './support/oracle.js'
import { baseSeed } from './support/random.js'

/** The model with initializers in the place of some inputs. */
function settled(bytes: Uint8Array, constants: Named): Uint8Array {
  const model = decodeModel(bytes)
  const graph = model.graph!
  graph.input = graph.input!.filter(({ name }) => !(name! in constants))
  for (const [name, { dtype, dims, data }] of Object.entries(constants))
    graph.initializer!.push(tensorProto(name, { dtype, dims: [...dims], data: Array.from(data, Number) }))
  return encodeModel(model)
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
          const runner = await Runner.load(file, 'wasm')
          checkRun(each.item, await runner.run(pick(feeds, name => !chosen.includes(name))), expected)
          await runner.release()
        }
      }
    })
  test.run()
}
