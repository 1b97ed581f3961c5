// The right files that the fuzzer spoils: small models of every kind.
import { type CompileOptions, compile } from '../../compiler/index.js'
import { encode } from '../../runtime/file/format.js'
import type { Program } from '../../runtime/file/program.js'
import { headBias, headWeights } from '../../train/network/network.js'
import { openBackbone } from '../../train/network/open.js'
import { encodePatch } from '../../train/patch.js'
import { buildStep } from '../../train/step.js'
import { modelOf, takesHalves } from '../support/cases/case.js'
import { fixedCases } from '../support/cases/op-cases.js'
import { randomNetwork } from '../support/network/random-graph.js'
import { decodeModel, encodeModel, float, ModelBuilder } from '../support/onnx/model.js'
import type { Bindings } from '../support/onnx/oracle.js'
import type { Random } from '../support/random.js'

export type Kind = 'onnx' | 'cairn' | 'patch'

export interface Seed {
  readonly name: string
  readonly bytes: Uint8Array
  /** Sizes of the free dimensions for which it runs. */
  readonly bindings: Bindings
  readonly options: CompileOptions
}

/** Above this many bytes a file takes too long to be one of thousands. */
const largest = 100_000

export function onnxSeed(random: Random): Seed {
  for (;;) {
    const seed = random.chance(0.7) ? caseSeed(random) : networkSeed(random)
    if (seed.bytes.length <= largest) return random.chance(0.15) ? external(seed, random) : seed
  }
}

function caseSeed(random: Random): Seed {
  const item = random.pick(fixedCases)
  const halves = takesHalves(item) && random.chance(0.3)
  const options: CompileOptions = { ...item.options, ...(halves && { weights: 'f16' }) }
  const bytes = modelOf(item, random).encode()
  return { name: item.name, bytes, bindings: item.bindings?.[0] ?? {}, options }
}

function networkSeed(random: Random): Seed {
  const number = random.int(0, 2 ** 30)
  const { model, bindings } = randomNetwork(number)
  const weights = random.pick(['f32', 'f16'] as const)
  return { name: `network ${number}`, bytes: model.encode(), bindings: bindings[0], options: { weights } }
}

/** The same with its large tensors in a file beside it. */
function external(seed: Seed, random: Random): Seed {
  const model = decodeModel(seed.bytes)
  const parts: Uint8Array[] = []
  let offset = 0
  for (const tensor of model.graph!.initializer ?? []) {
    if (!tensor.rawData?.length || random.chance(0.3)) continue
    const entries = { location: 'weights.bin', offset, length: tensor.rawData.length }
    tensor.externalData = Object.entries(entries).map(([key, value]) => ({ key, value: String(value) }))
    tensor.dataLocation = 1
    parts.push(tensor.rawData)
    offset += tensor.rawData.length
    tensor.rawData = new Uint8Array(0)
  }
  const data = Buffer.concat(parts)
  const externalData = () => new Uint8Array(data)
  return {
    ...seed,
    name: `${seed.name}, external`,
    bytes: encodeModel(model),
    options: { ...seed.options, externalData }
  }
}

export async function cairnSeed(random: Random): Promise<Seed> {
  if (random.chance(0.1)) return trainingSeed(random)
  const seed = onnxSeed(random)
  return { ...seed, bytes: await compile(seed.bytes, seed.options) }
}

/** A network that a head can be trained on. */
function backboneModel(random: Random): Uint8Array {
  const m = new ModelBuilder(random)
  const conv = m.add('Relu', [m.add('Conv', [m.input(['N', 2, 6, 6]), m.weights([4, 2, 3, 3]), m.weights([4])])])
  const deep = m.add('Conv', [conv, m.weights([4, 1, 3, 3]), m.weights([4])], { group: 4, pads: [1, 1, 1, 1] })
  const pooled = m.add(random.pick(['MaxPool', 'AveragePool']), [deep], { kernel_shape: [2, 2], strides: [2, 2] })
  const statistics = [m.weights([4]), m.weights([4]), m.weights([4]), m.weights([4], [0.5, 1])]
  const normal = m.add('BatchNormalization', [pooled, ...statistics], { epsilon: float(1e-5) })
  const flat = m.add('Flatten', [m.add('GlobalAveragePool', [m.add('Relu', [normal])])])
  return m.output(m.add('Gemm', [flat, m.weights([4, 3]), m.weights([3])])).encode()
}

/** A training step of a small network. */
export function trainingProgram(random: Random): Program {
  const backbone = openBackbone(backboneModel(random), {})
  const cut = backbone.findCut({ unfreeze: random.int(0, 2) })
  const section = backbone.section(cut, { classes: 3, dropout: random.pick([0, 0.5]) })
  const { program } = buildStep(section, random.chance(0.5), {
    loss: random.pick(['cross-entropy', 'mse', 'hinge']),
    optimizer: random.pick(['sgd', 'momentum', 'nesterov', 'adam', 'adamw']),
    momentum: 0.9,
    weightDecay: 0.01,
    l1: random.pick([0, 0.001]),
    clip: random.pick([0, 1]),
    backboneRate: 0.1,
    dropConnect: 0.5,
    auxiliary: 0
  })
  return program
}

function trainingSeed(random: Random): Seed {
  const summary = { arena: 0, arenaLowerBound: 0, nodesBefore: 0, nodesAfter: 0, batchNormsFolded: 0, operators: [] }
  const bytes = encode(trainingProgram(random), summary)
  return { name: 'training step', bytes, bindings: { N: 2 }, options: {} }
}

/** A head patch, and the model that it belongs to. */
export function patchSeed(random: Random): { model: Uint8Array; patch: Uint8Array } {
  const model = backboneModel(random)
  const backbone = openBackbone(model, {})
  const cut = backbone.findCut({})
  const tensor = (name: string, shape: number[]) => ({
    name,
    shape,
    data: Float32Array.from(random.values(shape.reduce((a, b) => a * b, 1))),
    uses: []
  })
  const tensors = [tensor(headWeights, [2, 4]), tensor(headBias, [2])]
  const preparation = {
    channels: 'RGB',
    scale: 1 / 255,
    mean: [0.5],
    std: [0.5, 0.4, 0.3],
    fit: 'crop',
    resize: 9
  } as const
  return { model, patch: encodePatch({ backbone: backbone.digest, cut, classes: ['a', 'b'], tensors, preparation }) }
}
