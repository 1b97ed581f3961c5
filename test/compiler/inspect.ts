// What the compiler tells of itself and of its files: passes with nodes, and a file's ports, calls and memory.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, inspect, passNames } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'

const test = suite('inspect')
const onnx = zoo['resnet20-cifar'].build()

test('passes are told in their order, with the nodes that they leave', async () => {
  const told: { name: string; nodes: number; lines: number }[] = []
  const file = await compile(onnx, {
    onPass: (name, _did, text, nodes) => told.push({ name, nodes, lines: text().split('\n').length - 1 })
  })
  assert.equal(
    told.map(({ name }) => name),
    passNames
  )
  for (const { name, nodes, lines } of told) assert.is(nodes, lines - 2, name)
  assert.is(inspect(file).nodesAfter, told.at(-1)!.nodes)
})

test('slices in steps are copied once, into their part of a concatenation', async () => {
  const m = new ModelBuilder(new Random('slices'))
  const x = m.input([1, 3, 8, 8])
  const part = (row: number, column: number) =>
    m.add('Slice', [x, m.ints([row, column]), m.ints([8, 8]), m.ints([2, 3]), m.ints([2, 2])])
  const parts = [part(0, 0), part(1, 0), part(0, 1), part(1, 1)]
  m.output(m.add('Concat', parts, { axis: 1 }))
  assert.is(inspect(await compile(m.encode())).calls.length, 4)
  // Whoever else reads a part finds it there.
  m.output(m.add('Neg', [parts[1]]))
  assert.is(inspect(await compile(m.encode())).calls.length, 5)
})

test('a file tells its ports, its calls and its memory', async () => {
  const file = await compile(onnx)
  const { inputs, outputs, free, calls, memory, macs, parameters } = inspect(file)
  assert.equal(inputs, [{ name: 'input', type: 'float32', shape: ['N', 3, 32, 32] }])
  assert.equal(outputs, [{ name: 'output', type: 'float32', shape: ['N', 10] }])
  assert.equal(free, ['N'])
  assert.ok(parameters > 250_000 && macs > 40e6)
  assert.is(memory.calls, calls.length)
  assert.ok(calls.every(({ node, kernel }) => node && kernel))
  assert.ok(memory.arena >= memory.lowerBound)
  assert.is(memory.storages.find(({ first }) => first < 0)!.name, 'input input')
  for (const { bytes, offset } of memory.storages) assert.ok(bytes > 0 && offset + bytes <= memory.arena)
})

test('free dimensions and threads count', async () => {
  const file = await compile(onnx)
  const [one, three] = [inspect(file), inspect(file, { N: 3 })]
  assert.is(three.macs, one.macs * 3)
  assert.ok(three.memory.arena > one.memory.arena)
  assert.ok(inspect(file, {}, 4).memory.arena >= one.memory.arena)
  assert.equal(structuredClone(one), one)
})

test.run()
