// The memory plan: storages that are live together never overlap, the arena is near its lower bound, kernels stay
// inside their buffers, and no call reads what another value has overwritten.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { zoo } from '../../models/index.js'
import { type Bindings, evaluate } from '../../runtime/file/dims.js'
import { type Block, type Plan, planBlocks, planProgram } from '../../runtime/file/plan.js'
import { type Program, paddedLength } from '../../runtime/file/program.js'
import { Guarded, runInArena } from '../support/guarded.js'
import { randomNetwork } from '../support/network/random-graph.js'
import { steadyFeeds } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { whyLeftOut } from '../support/share.js'
import { skip } from '../support/skip.js'

/** Overlaps and misalignments of a plan, found by comparing every pair. */
function checkPlan({ offsets, bytes, lowerBound }: Plan, blocks: readonly Block[]): void {
  const used = blocks.map((block, i) => ({ ...block, at: offsets[i], i })).filter(block => block.bytes > 0)
  let most = 0
  for (const a of used) {
    assert.is(a.at % 16, 0, `storage ${a.i} at ${a.at}`)
    assert.ok(a.at >= 0 && a.at + a.bytes <= bytes, `storage ${a.i} leaves the arena`)
    for (const b of used) {
      if (a.i >= b.i || a.first > b.last || b.first > a.last) continue
      assert.ok(a.at + a.bytes <= b.at || b.at + b.bytes <= a.at, `storages ${a.i} and ${b.i} overlap`)
    }
    const live = used.filter(b => b.first <= a.first && a.first <= b.last).reduce((sum, b) => sum + b.bytes, 0)
    most = Math.max(most, live)
  }
  assert.is(lowerBound, most, 'the lower bound is the largest sum of live bytes')
  assert.ok(bytes >= lowerBound)
}

/** Sizes and lifetimes, worked out from the calls anew. */
function lifetimes(program: Program, bindings: Bindings): Block[] {
  return program.storages.map((size, index) => {
    const touches = program.calls.flatMap((call, at) =>
      call.arguments.some(a => a.space === 'storage' && a.index === index) ? [at] : []
    )
    if (program.inputs.some(port => port.storage === index)) touches.push(-1)
    if (program.outputs.some(port => port.storage === index)) touches.push(program.calls.length)
    const bytes = touches.length ? Math.ceil((evaluate(size, bindings) * 4) / 16) * 16 : 0
    return { bytes, first: Math.min(...touches), last: Math.max(...touches) }
  })
}

const plans = suite(`memory plan (seed ${baseSeed})`)
for (let i = 0; i < 200; i++)
  plans(`random blocks ${i}`, () => {
    const random = new Random(`blocks ${i}`)
    const calls = random.int(1, 30)
    const blocks = Array.from({ length: random.int(0, 40) }, () => {
      const first = random.int(-1, calls)
      return { bytes: 16 * random.int(0, random.pick([3, 20, 1000])), first, last: random.int(first, calls) }
    })
    checkPlan(planBlocks(blocks), blocks)
  })
plans.run()

const networks = suite(`memory of random networks (seed ${baseSeed})`)
for (let i = 0; i < 80; i++) {
  const seed = (baseSeed + 7919 * i) % 2 ** 31
  networks(`network ${seed}`, async () => {
    const { model, bindings } = randomNetwork(seed)
    const { program } = build(model.encode())
    const feeds = await steadyFeeds(model, bindings, new Random(`memory ${seed}`))
    for (const [at, binding] of bindings.entries()) {
      checkPlan(planProgram(program, binding), lifetimes(program, binding))
      const inputs = program.inputs.map(port => feeds[at][port.name].data)
      const apart = Interpreter.of(program).run(inputs, binding)
      const together = runInArena(program, inputs, binding)
      together.forEach((data, o) => assert.equal(data, apart[o], `output ${o} is not what it is with storages apart`))
      const guarded = await Guarded.of(program, binding)
      guarded.run(inputs).forEach((data, o) => {
        const largest = apart[o].reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30)
        const worst = data.reduce((most, value, j) => Math.max(most, Math.abs(value - apart[o][j])), 0)
        assert.ok(worst <= 1e-4 * largest, `output ${o} of the kernels differs by ${worst / largest}`)
      })
    }
  })
}
networks.run()

/** Floats of what calls read while a session runs, but for the arena: weights in panels, and what setup calls derive. */
function heldFloats(program: Program): number {
  const read = new Set(
    program.calls.flatMap(call => call.arguments).flatMap(a => (a.space === 'constant' ? [a.index] : []))
  )
  const weights = program.constants.filter((_, index) => read.has(index)).map(paddedLength)
  return [...weights, ...program.derived].reduce((sum, length) => sum + length, 0)
}

const arenas = suite('memory of the zoo')
/** Some hundred million weights say nothing more about the memory of activations. */
const largest = 100e6
/** Padding of panels counts where there are few weights. */
const smallest = 20e3
let worst = { name: '', ratio: 0 }
for (const [i, [name, { parameters, build: make, input }]] of Object.entries(zoo).entries()) {
  const reason = whyLeftOut(i, parameters, largest)
  if (reason) {
    skip(`arena of ${name}`, reason)
    continue
  }
  arenas(name, () => {
    const { program } = build(make())
    const held = heldFloats(program) / program.parameters
    assert.ok(held <= 2.2 + smallest / parameters, `${held.toFixed(3)} times the weights are held`)
    for (const N of [1, 3]) {
      const binding: Bindings = input[2] === 'H' ? { N, H: 256, W: 320 } : { N }
      const plan = planProgram(program, binding)
      checkPlan(plan, lifetimes(program, binding))
      const ratio = plan.bytes / plan.lowerBound
      if (ratio > worst.ratio) worst = { name: `${name} at batch ${N}`, ratio }
      assert.ok(
        ratio <= 1.05,
        `arena ${plan.bytes} is ${ratio.toFixed(3)} × its lower bound ${plan.lowerBound} at batch ${N}`
      )
    }
  })
}
arenas.after(() => console.log(`\nlargest arena over its lower bound: ${worst.ratio.toFixed(4)} (${worst.name})`))
arenas.run()
