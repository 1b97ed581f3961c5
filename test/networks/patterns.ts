// What exporters write with several nodes: the compiler sees through it, and the results stay.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { print } from '../../compiler/passes/print.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { type Run, steadyRun } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { branches } from './patterns/branches.js'
import { activations, norms, type Pattern } from './patterns/exporters.js'
import { loops } from './patterns/loops.js'
import { quantised } from './patterns/quantised.js'
import { shapes } from './patterns/shapes.js'

const backends = await presentBackends()
const families: Readonly<Record<string, readonly Pattern[]>> = {
  activations,
  norms,
  shapes,
  branches,
  loops,
  quantised
}

for (const [family, patterns] of Object.entries(families)) {
  const test = suite(`${family} as exporters write them (seed ${baseSeed})`)
  for (const { name, make, shows, hides, opset = 17, bindings = [{}] } of patterns)
    test(name, async () => {
      const random = new Random(name)
      const model = new ModelBuilder(random, opset)
      const bytes = model.output(make(model)).encode()
      const oracle = await Oracle.load(bytes)
      const runs: Run[] = []
      for (const binding of bindings)
        runs.push(await steadyRun(oracle, () => randomFeeds(model.inputs, random, binding), random))
      for (const backend of backends) {
        const runner = await Runner.load(compileModel(bytes), backend)
        for (const { feeds, expected } of runs) assertClose(await runner.run(feeds), expected)
        await runner.release()
      }
      await oracle.release()
      const text = print(build(bytes).graph)
      if (shows) assert.ok(shows.test(text), `${shows} is not in\n${text}`)
      if (hides) assert.not(hides.test(text), `${hides} is in\n${text}`)
    })
  test.run()
}
