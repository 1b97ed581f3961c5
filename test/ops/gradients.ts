// Gradients of every operator that has one: against central differences in double precision on the reference, and the CPU
// path against the reference. The operators' cases are those of test/ops.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { differentiate } from '../../compiler/gradients/differentiate.js'
import { gradients } from '../../compiler/gradients/rules.js'
import { type Graph, Value } from '../../compiler/graph/graph.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { importOnnx } from '../../compiler/onnx/read.js'
import { trainingKernels } from '../../compiler/ops/kernels.js'
import type { Program } from '../../runtime/file/program.js'
import { Engine } from '../../train/device/engine.js'
import { fileOf } from '../../train/network/backbone.js'
import '../../train/index.js'
import { learnt } from '../../train/network/network.js'
import { lowerStep, makeDifferentiable } from '../../train/network/pipeline.js'
import { presentBackends } from '../support/cairn.js'
import { type Case, modelOf } from '../support/cases/case.js'
import { casesOf, type Family, only } from '../support/cases/op-cases.js'
import { Guarded } from '../support/guarded.js'
import { nudge } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { isTaken } from '../support/share.js'
import { skip } from '../support/skip.js'

/** Families whose operators all lack a gradient are left out. */
const tested: readonly Family[] = [
  'conv',
  'convTranspose',
  'gemm',
  'pool',
  'reduce',
  'softmax',
  'normalize',
  'groupnorm',
  'layernorm',
  'pad',
  'resize',
  'gather',
  'cumsum',
  'activations',
  'elementwise',
  'epilogues',
  'movement',
  'compound',
  'lp'
]

/** What a model computes and its gradients, in one program; weights are inputs, as a step's states would be. */
interface Differentiated {
  readonly program: Program
  readonly weights: ReadonlyMap<string, ArrayLike<number>>
  /** Shapes of the graph's outputs, then of the gradients of `wanted`. */
  readonly outputs: number
  readonly wanted: readonly string[]
}

const float = (value: Value) => value.dtype === 'float32'

/** Constants that operators read as parameters of their own are weights; those that configure one stay. */
function weightsOf(graph: Graph): Value[] {
  const arithmetic = Object.fromEntries(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'].map(op => [op, [0, 1]]))
  const read: Readonly<Record<string, readonly number[]>> = { ...learnt, ...arithmetic }
  const found = new Set<Value>()
  for (const node of graph.nodes)
    for (const index of read[node.op] ?? []) {
      const value = node.inputs[index]
      if (value?.data && float(value)) found.add(value)
    }
  return [...found]
}

function differentiated(model: Uint8Array, bindings: Readonly<Record<string, number>>): Differentiated {
  const graph = importOnnx(model, { shapes: shapesOf(model, bindings) })
  const weights = new Map<string, ArrayLike<number>>()
  for (const value of weightsOf(graph)) {
    weights.set(value.name, value.data!)
    value.data = undefined
    graph.inputs.push(value)
  }
  makeDifferentiable(graph)
  const seeds = new Map(
    graph.outputs.filter(float).map(output => {
      const seed = new Value(`seed of ${output.name}`, 'float32', output.shape)
      graph.inputs.push(seed)
      return [output, seed] as const
    })
  )
  const wanted = graph.inputs.filter(input => float(input) && !input.name.startsWith('seed of'))
  const made = differentiate(graph, seeds, wanted)
  const outputs = graph.outputs.length
  const names: string[] = []
  made.forEach((gradient, i) => {
    if (!gradient) return
    graph.outputs.push(gradient)
    graph.outputNames.push(`gradient of ${wanted[i].name}`)
    names.push(wanted[i].name)
  })
  graph.outputTypes = graph.outputs.map(output => output.dtype)
  return { program: lowerStep(graph), weights, outputs, wanted: names }
}

function shapesOf(model: Uint8Array, bindings: Readonly<Record<string, number>>): Record<string, number[]> {
  const { inputs } = importOnnx(model)
  return Object.fromEntries(
    inputs.map(({ name, shape }) => [
      name,
      shape.map(dim => (typeof dim === 'number' ? dim : bindings[(dim.terms[0].atoms[0] as { name: string }).name]))
    ])
  )
}

const step = 1e-5
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0)
/** Elements of an input that are moved. */
const tried = 12

const sizeOf = (port: Program['inputs'][number]) => (port.shape as number[]).reduce((a, b) => a * b, 1)

/** What the program reads, as the case has it; of whole numbers whole ones. */
function drawn({ program, weights }: Differentiated, item: Case, random: Random): Float64Array[] {
  const all = [item.operands, ...(item.next ?? []).map(({ operands = [] }) => operands)].flat()
  const operands = all.flatMap(each => (typeof each === 'object' && each.kind === 'input' ? [each] : []))
  return program.inputs.map(port => {
    const given = weights.get(port.name)
    if (given) return Float64Array.from(given)
    const operand = port.name.startsWith('seed') ? undefined : operands.shift()
    const [low, high] = operand?.range ?? [-1, 1]
    const float = operand?.dtype.startsWith('float') ?? true
    const next = () => (float ? low + (high - low) * random.next() : low + Math.floor((high - low + 1) * random.next()))
    return Float64Array.from({ length: sizeOf(port) }, next)
  })
}

/**
 * Throws unless every gradient is what moving single inputs does to the weighted sum of the outputs. Returns the inputs
 * of which these numbers cannot tell: none of the elements converges, or the terms of the gradient cancel almost wholly.
 */
function checkDifferences({ program, outputs, wanted }: Differentiated, inputs: Float64Array[], random: Random) {
  const interpreter = Interpreter.of(program)
  const seeds = program.inputs.flatMap((port, i) => (port.name.startsWith('seed of') ? [inputs[i]] : []))
  const analytic = interpreter.run(inputs).slice(outputs)
  return wanted.filter((name, i) => {
    const at = program.inputs.findIndex(port => port.name === name)
    const gradient = analytic[i]
    const largest = Math.max(...gradient.map(Math.abs))
    const scale = Math.max(1e-3, largest)
    let told = 0
    let terms = 0
    for (let trial = 0; trial < Math.min(tried, gradient.length); trial++) {
      const element = gradient.length <= tried ? trial : Math.floor(random.next() * gradient.length)
      /** By output element: what remains of a large sum of them would be its rounding. */
      const differencesBy = (by: number) => {
        const [above, below] = [by, -by].map(move => {
          const moved = inputs.map(data => data.slice())
          moved[at][element] += move
          return interpreter.run(moved)
        })
        return seeds.flatMap((seed, k) => Array.from(seed, (s, j) => (s * (above[k][j] - below[k][j])) / (2 * by)))
      }
      const differences = differencesBy(step)
      const difference = sum(differences)
      // A kink or a pole between the two: differences say nothing there, and say so by not converging.
      if (Math.abs(difference - sum(differencesBy(step / 4))) / scale > 5e-7) continue
      told++
      terms = Math.max(terms, sum(differences.map(Math.abs)))
      const error = Math.abs(difference - gradient[element]) / scale
      assert.ok(
        error < 1e-6,
        `gradient of "${name}" at ${element} is ${gradient[element]}, by differences ${difference} (error ${error})`
      )
    }
    return told === 0 || largest < terms / 500
  })
}

/**
 * Whether the gradients stay what they are, by a third of what backends are allowed, where the inputs move by last bits: beside a
 * kink single precision may stand on the other side.
 */
function isSmooth({ program, outputs }: Differentiated, inputs: Float64Array[], random: Random): boolean {
  const interpreter = Interpreter.of(program)
  const single = inputs.map(data => Float64Array.from(data, Math.fround))
  // Indices stay.
  const by = (value: number) => (Number.isInteger(value) ? 0 : random.chance(0.5) ? nudge : -nudge)
  const shares = single.map(data => data.map(by))
  const gradients = interpreter.run(single).slice(outputs)
  return [1, -1].every(side => {
    const moved = single.map((data, i) => data.map((value, j) => value * (1 + side * shares[i][j])))
    const others = interpreter.run(moved).slice(outputs)
    return gradients.every((data, i) => {
      const scale = Math.max(1e-3, ...data.map(Math.abs))
      return data.every((value, j) => Math.abs(value - others[i][j]) < 3e-4 * scale)
    })
  })
}

async function checkBackend({ program, outputs }: Differentiated, inputs: Float64Array[]): Promise<void> {
  const single = inputs.map(data => Float32Array.from(data))
  const expected = Interpreter.of(program)
    .run(single.map(data => Float64Array.from(data)))
    .slice(outputs)
  const actual = (await Guarded.of(program, {})).run(single).slice(outputs)
  const divided = (await Guarded.of(program, {}, 3)).run(single).slice(outputs)
  expected.forEach((data, i) => {
    const scale = Math.max(1e-3, ...data.map(Math.abs))
    data.forEach((value, j) => {
      const error = Math.abs(value - actual[i][j]) / scale
      assert.ok(error < 1e-3, `gradient ${i} at ${j} is ${actual[i][j]}, ${value} on the reference`)
    })
    assert.equal(actual[i], divided[i], `gradient ${i} is another on three threads`)
  })
}

const hasGpu = (await presentBackends()).includes('webgpu')
/** Cases of a usual run that go through WebGPU as well, and the kernels of training that have been there. */
const shareOnGpu = 0.12
const onGpu = new Set<string>()

async function checkGpu({ program, outputs }: Differentiated, inputs: Float64Array[]): Promise<void> {
  for (const { name } of program.kernels) onGpu.add(name)
  const single = inputs.map(data => Float32Array.from(data))
  const engine = await Engine.open(fileOf(program), 'webgpu', 1)
  const feeds = Object.fromEntries(program.inputs.map(({ name }, i) => [name, single[i]]))
  const actual = (await engine.run(1, feeds)).slice(outputs)
  await engine.release()
  const expected = Interpreter.of(program)
    .run(single.map(data => Float64Array.from(data)))
    .slice(outputs)
  expected.forEach((data, i) => {
    const scale = Math.max(1e-3, ...data.map(Math.abs))
    data.forEach((value, j) => {
      const error = Math.abs(value - actual[i][j]) / scale
      assert.ok(error < 1e-3, `gradient ${i} at ${j} is ${actual[i][j]} on webgpu, ${value} on the reference`)
    })
  })
}

/** Those that call a kernel of training which none before has called, and a share of the rest. */
function goesToGpu({ program }: Differentiated): boolean {
  const anew = program.kernels.some(({ name }) => trainingKernels[name] && !onGpu.has(name))
  return hasGpu && (only !== undefined || anew || new Random(`gpu ${program.name}`).chance(shareOnGpu))
}

/** Elements of an operand beyond which differences would take minutes. */
const most = 1e5
const sizeOfCase = ({ operands }: Case) =>
  Math.max(0, ...operands.map(each => (typeof each === 'object' ? elementsOf(each.dims) : 0)))
const elementsOf = (dims: readonly (number | string)[]) =>
  dims.reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : 1), 1)

/** Differences are two runs of the reference for each element that is moved: a usual run takes one case in so many. */
const interval = 2
/** Cases that were looked at, and those of them that this run leaves out. */
let [seen, left] = [0, 0]

const called = new Set<string>()
const covered = new Set<string>()
const refused = new Map<string, number>()
for (const family of tested) {
  const test = suite(`gradients: ${family}`)
  for (const { item, title } of casesOf(family)) {
    if (sizeOfCase(item) > most) {
      skip(title, `more than ${most} elements, of which each difference is a run in double precision`)
      continue
    }
    const random = new Random(`gradient ${family} ${item.name}`)
    const model = modelOf(item, random).encode()
    let made: Differentiated
    try {
      made = differentiated(model, item.bindings?.[0] ?? {})
    } catch (error) {
      const reason = /(\w+) "[^"]*": .*\bgradient\b/.exec((error as Error).message)
      if (!reason) throw error
      refused.set(reason[1], (refused.get(reason[1]) ?? 0) + 1)
      continue
    }
    const ops = [item.op, ...(item.next ?? []).map(each => each.op)]
    const names = made.program.kernels.map(({ name }) => name)
    const anew = ops.some(op => !covered.has(op)) || names.some(name => trainingKernels[name] && !called.has(name))
    if (!isTaken(seen++, interval) && !anew) {
      left++
      continue
    }
    for (const op of ops) covered.add(op)
    if (!made.wanted.length) continue
    for (const name of names) called.add(name)
    test(`${title} (seed ${baseSeed})`, async () => {
      let inputs: Float64Array[]
      let untold: string[]
      let draws = 0
      do {
        inputs = drawn(made, item, random)
        untold = checkDifferences(made, inputs, random)
        // Sines of hundreds are never smooth, and are compared all the same.
      } while ((untold.length || !isSmooth(made, inputs, random)) && ++draws < 10)
      assert.equal(untold, [], 'inputs whose gradients cannot be told by differences')
      await checkBackend(made, inputs)
      if (goesToGpu(made)) await checkGpu(made, inputs)
    })
  }
  test.run()
}
if (left) skip(`gradients of ${left} of ${seen} cases`, 'the seed takes the others; CAIRN_ALL=1 runs all')
for (const [op, count] of refused) skip(`${count} cases of ${op}`, 'the operator, or this form of it, has no gradient')

const coverage = suite('gradients: coverage')
coverage('every rule is used by a case', () => {
  const spelled = new Set(['Activation', 'ScaleShift', 'Copy', 'RandomDropout', 'Gemm', 'SumPool'])
  assert.equal(
    Object.keys(gradients).filter(op => !covered.has(op) && !spelled.has(op)),
    []
  )
})
coverage('every kernel of training but the updates and dropout is called by a case', () => {
  const elsewhere = ['adam', 'sgd', 'dropout']
  assert.equal(
    Object.keys(trainingKernels).filter(name => !called.has(name) && !elsewhere.includes(name)),
    []
  )
})
if (!only) coverage.run()
