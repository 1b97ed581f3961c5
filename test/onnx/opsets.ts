// Opsets 18 to 23 on every backend against onnxruntime-node, and what of them is refused. CAIRN_ONLY=text picks cases.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError } from '../../compiler/index.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { checkRun, only, type Prepared, prepare } from '../support/cases/op-cases.js'
import { baseSeed } from '../support/random.js'
import { newer } from './models/newer.js'
import { unsupported } from './models/unsupported.js'

const backends = await presentBackends()
const test = suite(`opsets 18 to 23 (seed ${baseSeed})`)
const names = new Set<string>()
for (const item of newer) {
  const name = `${item.op}, ${item.name}`
  if (only && !name.includes(only)) continue
  assert.not(names.has(name), `two cases are named "${name}"`)
  names.add(name)
  let prepared: Promise<Prepared> | undefined
  for (const backend of backends)
    test(`${name} (${backend})`, async () => {
      prepared ??= prepare({ family: 'opsets', item, title: name, name })
      const { model, runs } = await prepared
      const runner = await Runner.load(compileModel(model), backend)
      for (const run of runs) checkRun(item, await runner.run(run.feeds), run.expected)
      await runner.release()
    })
}
test.run()

const refused = suite('what of opsets 18 to 23 is refused')
for (const { name, model, message } of unsupported)
  refused(name, () => {
    try {
      build(model())
    } catch (error) {
      assert.instance(error, CompileError)
      assert.match((error as Error).message, message)
      assert.not((error as Error).message.includes('\n'))
      return
    }
    assert.unreachable('the model is compiled')
  })
refused.run()
