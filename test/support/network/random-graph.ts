// Random convolutional networks by seed, and how a failing one is cut down.
import type { onnx } from 'onnx-proto'
import { encodeModel, ModelBuilder } from '../onnx/model.js'
import type { Bindings } from '../onnx/oracle.js'
import { Random } from '../random.js'
import { isSmall, usualBlocks } from './blocks.js'
import { moves } from './moves.js'
import { type FeatureMap, Net, type Size } from './net.js'
import { oddBlocks } from './odd-blocks.js'

export interface RandomNetwork {
  readonly model: ModelBuilder
  /** Sizes of the free dimensions, one run each. */
  readonly bindings: readonly Bindings[]
}

const drawn = [...usualBlocks, ...moves, ...oddBlocks]
const total = drawn.reduce((sum, [weight]) => sum + weight, 0)

export function randomNetwork(seed: number): RandomNetwork {
  const random = new Random('network', seed)
  const model = new ModelBuilder(random, random.pick([13, 13, 17, 17, 18, 21]))
  const fixed = random.chance(0.75)
  const batch = random.chance(0.6) ? 'N' : random.int(1, 2)
  const net = new Net(model, random, fixed)
  const size = (key: string): Size => ({ now: random.int(fixed ? 4 : 7, 18), key })
  const [h, w] = [size('H'), size('W')]
  for (let i = random.pick([1, 1, 1, 2]); i > 0; i--) {
    const c = random.pick([1, 3, 3, 4, 5, 8, 16])
    const space = fixed ? [h.now, w.now] : ['H', 'W']
    if (random.chance(0.8)) net.keep({ name: model.input([batch, c, ...space]), c, h, w })
    else
      net.keep({ name: model.add('Transpose', [model.input([batch, ...space, c])], { perm: [0, 3, 1, 2] }), c, h, w })
  }
  for (let steps = random.int(3, 12); steps > 0; steps--) {
    let ticket = random.uniform(0, total)
    const [, block] = drawn.find(([weight]) => (ticket -= weight) < 0) ?? drawn[0]
    const made = block(net)
    if (made && isSmall(made)) net.keep(made)
  }
  return { model: finish(net), bindings: bindingsOf(batch === 'N', fixed, h, w, random) }
}

function bindingsOf(free: boolean, fixed: boolean, h: Size, w: Size, random: Random): Bindings[] {
  const space = fixed
    ? [{}, {}]
    : [
        { H: h.now, W: w.now },
        { H: h.now + random.int(1, 7), W: w.now + random.int(0, 9) }
      ]
  if (free)
    return [
      { N: 1, ...space[0] },
      { N: 3, ...space[1] }
    ]
  return fixed ? [{}] : space
}

/** The outputs: mostly a head on the last map, and sometimes values in the middle too. */
function finish(net: Net): ModelBuilder {
  const { model, random } = net
  const isInput = (name: string) => model.inputs.some(input => input.name === name)
  const last = net.maps[net.maps.length - 1]
  const outputs = new Set<string>([random.chance(0.4) || isInput(last.name) ? head(net, last) : last.name])
  for (let i = random.pick([0, 0, 1, 2]); i > 0; i--) {
    const { name } = random.pick(net.maps)
    if (!isInput(name)) outputs.add(name)
  }
  // Outputs that are views of others, or of an input.
  const [some] = random.shuffled([...outputs, ...model.inputs.map(input => input.name)])
  if (random.chance(0.1)) outputs.add(model.add(random.pick(['Identity', 'Flatten', 'Relu']), [some]))
  return model.output(...random.shuffled([...outputs]))
}

function head(net: Net, x: FeatureMap): string {
  const { model, random } = net
  const classes = random.pick([2, 5, 10, 11])
  if (net.fixed && random.chance(0.5)) {
    const inner = x.c * x.h.now * x.w.now
    const flat = random.chance(0.5)
      ? model.add('Flatten', [x.name])
      : model.add('Reshape', [x.name, model.ints([-1, inner])])
    const range: [number, number] = [-2 / Math.sqrt(inner), 2 / Math.sqrt(inner)]
    const scores = random.chance(0.5)
      ? model.add('Gemm', [flat, model.weights([classes, inner], range), model.weights([classes])], { transB: 1 })
      : model.add('MatMul', [flat, model.weights([inner, classes], range)])
    return random.chance(0.5) ? model.add('BatchNormalization', [scores, ...net.statistics(classes)]) : scores
  }
  const pooled = model.add(random.pick(['GlobalAveragePool', 'GlobalMaxPool']), [x.name])
  const flat = random.chance(0.5) ? model.add('Flatten', [pooled]) : model.add('Squeeze', [pooled, model.ints([2, 3])])
  const scores = model.add('Gemm', [flat, model.weights([x.c, classes]), model.weights([classes])])
  return random.chance(0.5) ? model.add('Softmax', [scores], { axis: 1 }) : scores
}

/** The same network with one output only and nothing that it does not need. */
export function upTo({ proto, inputs }: { proto: onnx.IModelProto; inputs: readonly string[] }, output: string) {
  const needed = new Set([output])
  const nodes: onnx.INodeProto[] = []
  for (const node of [...proto.graph!.node!].reverse()) {
    if (!node.output!.some(name => needed.has(name))) continue
    nodes.unshift(node)
    for (const name of node.input!) needed.add(name)
  }
  const graph = {
    ...proto.graph!,
    node: nodes,
    output: [{ name: output }],
    initializer: proto.graph!.initializer!.filter(t => needed.has(t.name!))
  }
  graph.input = proto.graph!.input!.filter(({ name }) => needed.has(name!))
  return {
    bytes: encodeModel({ ...proto, graph }),
    inputs: inputs.filter(name => needed.has(name)),
    text: describe(graph)
  }
}

/** One node a line. */
export function describe(graph: onnx.IGraphProto): string {
  const constants = new Map(graph.initializer!.map(({ name, dims }) => [name, `const[${dims}]`]))
  const attribute = ({ name, type, i, f, ints, floats, s }: onnx.IAttributeProto) => {
    const text = { 1: f, 2: i, 3: s && new TextDecoder().decode(s), 6: `[${floats}]`, 7: `[${ints}]` }[Number(type)]
    return `${name}=${text ?? 'tensor'}`
  }
  return [
    ...graph.input!.map(
      ({ name, type }) => `input ${name} [${type!.tensorType!.shape!.dim!.map(d => d.dimParam || d.dimValue)}]`
    ),
    ...graph.node!.map(node => {
      const inputs = node.input!.map(name => constants.get(name) ?? (name || '_'))
      return `${node.output} = ${node.opType}(${inputs.join(', ')}) ${(node.attribute ?? []).map(attribute).join(' ')}`
    }),
    `output ${graph.output!.map(({ name }) => name)}`
  ].join('\n')
}
