import { add, type Dim, free, mul, same, show } from '../../compiler/algebra/index.js'
import { Graph, Value } from '../../compiler/graph/index.js'
import { buildGraph } from '../../compiler/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { logitsOutput, probabilitiesOutput } from '../../compiler/onnx/index.js'
import { kernels } from '../../compiler/ops/index.js'
import { CairnError, digest } from '../../runtime/base/index.js'
import { checkBound, checkFixed } from '../../runtime/check/index.js'
import {
  type Argument,
  allElements,
  type CairnFile,
  type Call,
  type Constant,
  decode,
  encode,
  type Section as FileSection,
  type Port,
  type Program
} from '../../runtime/file/index.js'
import type { Patch } from '../patch.js'
import { type Backbone, checkInput } from './backbone.js'
import { addHead, type Cut, type CutOptions, type Head, headBias, headWeights, type Section } from './network.js'

const products = ['gemm', 'gemmPacked', 'gemmHalf']

/** A compiled model that ends in a fully connected layer: what that reads are the features, and all before it stays frozen. */
export class CompiledBackbone implements Backbone {
  readonly digest: number
  readonly input: string
  private readonly file: CairnFile
  /** The classifier's call, counted through all. */
  private readonly last: number
  private readonly features: Port

  constructor(model: Uint8Array) {
    this.file = decode(model)
    const { header } = this.file
    if (header.inputs.length !== 1)
      throw new CairnError(`the model has ${header.inputs.length} inputs; networks with one can be trained`)
    this.digest = digest(model)
    this.input = header.inputs[0].name
    checkInput(header.inputs[0])
    checkFixed(header)
    checkBound(header, Object.fromEntries(header.free.map(name => [name, 1])))
    this.last = this.classifier()
    this.features = this.port()
  }

  /** The matrix product that makes the first output, but for a softmax or a copy behind it; -1 where another call does. */
  private classifier(): number {
    const { calls, kernels: names, outputs } = this.file.header
    let storage = outputs[0].storage
    for (let at = calls.length - 1; at >= 0; at--) {
      const call = calls[at]
      if (
        !call.arguments.some(
          ({ space, index, access }) => space === 'storage' && index === storage && access === 'write'
        )
      )
        continue
      const { name } = names[call.kernel]
      if (products.includes(name)) return at
      const from = call.arguments.find(({ space, access }) => space === 'storage' && access === 'read')
      if (!['softmax', 'unary'].includes(name) || !from) return -1
      storage = from.index
    }
    return -1
  }

  /** What the last product reads, one row an image. */
  private port(): Port {
    const { header } = this.file
    const call = header.calls[this.last]
    const names = call ? Object.keys(kernels[header.kernels[call.kernel].name].fields) : []
    const field = (name: string): Dim => call.parameters[names.indexOf(name)]
    const [x] = call?.arguments ?? []
    const batch = header.inputs[0].shape[0]
    if (!call || x.space !== 'storage' || !same(field('rows'), batch) || !same(field('xRow'), field('inner')))
      throw new CairnError('the compiled model does not end in a fully connected layer; train the .onnx that it is of')
    return {
      name: 'features',
      dtype: 'float32',
      shape: [batch, field('inner')],
      storage: x.index,
      offset: x.offset
    }
  }

  findCut({ cut, unfreeze = 0 }: CutOptions): Cut {
    if (cut !== undefined || unfreeze !== 0)
      throw new CairnError(
        'a compiled model keeps its layers; only a new head can be trained on it, blocks need the .onnx'
      )
    return { features: 'features', boundary: 'features', pooled: false, blocks: 0, trained: 0 }
  }

  section(_: Cut, head: Head): Section {
    return this.head(free('N'), head)
  }

  private head(batch: Dim, head: Head): Section {
    const graph = new Graph('head')
    const input = new Value('features', 'float32', [batch, this.features.shape[1]])
    graph.inputs = [input]
    const logits = addHead(graph, input, head, false)
    graph.outputs = [logits]
    graph.outputNames = [logitsOutput]
    graph.outputTypes = ['float32']
    return { graph, input, logits, auxiliary: [] }
  }

  frozen(): CairnFile {
    const { header } = this.file
    const calls = header.calls.slice(0, this.last)
    const writes = (storage: number) =>
      calls.some(call => call.arguments.some(({ access, index }) => access === 'write' && index === storage))
    const faults = header.faults.filter(({ storage }) => writes(storage))
    return {
      ...this.file,
      header: { ...header, calls, faults, outputs: [this.features], counts: [] }
    }
  }

  async merged({ classes, tensors }: Patch): Promise<Uint8Array> {
    const tensor = (name: string) => tensors.find(each => each.name === name)!.data
    const wanted = mul(this.features.shape[1], classes.length)
    if (!same(wanted, tensor(headWeights).length))
      throw new CairnError(`the patch has ${tensor(headWeights).length} weights; the model takes ${show(wanted)}`)
    const { graph, logits } = this.head(this.features.shape[0], {
      classes: classes.length,
      weight: tensor(headWeights),
      bias: tensor(headBias),
      dropout: 0
    })
    graph.outputs = [new Writer(graph, 'head').add('Softmax', [logits], { axis: -1 }), logits]
    graph.outputNames = [probabilitiesOutput, logitsOutput]
    graph.outputTypes = ['float32', 'float32']
    const { header } = this.frozen()
    const { program, summary } = buildGraph(graph)
    const first = { ...header, constants: await Promise.all(header.constants.map(each => this.constant(each))) }
    const { arena, arenaLowerBound, nodesBefore, nodesAfter, batchNormsFolded, operators } = header
    return encode(joined(first, this.features, program), {
      arena: Math.max(arena, summary.arena),
      arenaLowerBound,
      nodesBefore,
      nodesAfter,
      batchNormsFolded,
      operators
    })
  }

  private async constant({ offset, bytes, digest: _, ...rest }: FileSection): Promise<Constant> {
    const stored = new Uint8Array(bytes)
    await this.file.source.read(offset, [stored])
    return { ...rest, data: allElements(rest, stored) }
  }
}

/** One program behind another: what the second has as its input is a port of the first. Constants of neither's calls go. */
function joined(first: Program, port: Port, second: Program): Program {
  const [input] = second.inputs
  const counts = {
    constant: first.constants.length,
    derived: first.derived.length,
    storage: first.storages.length
  }
  const names = [...first.kernels, ...second.kernels.filter(({ name }) => first.kernels.every(k => k.name !== name))]
  const moved = (argument: Argument): Argument =>
    argument.space === 'storage' && argument.index === input.storage
      ? { ...argument, index: port.storage, offset: add(argument.offset, port.offset) }
      : { ...argument, index: argument.index + counts[argument.space] }
  const shifted = (call: Call): Call => ({
    ...call,
    kernel: names.findIndex(({ name }) => name === second.kernels[call.kernel].name),
    arguments: call.arguments.map(moved)
  })
  const calls = [...first.calls, ...second.calls.map(shifted)]
  const setup = [...first.setup, ...second.setup.map(shifted)]
  const all = [...first.constants, ...second.constants]
  const used = all.map((_, index) =>
    [...calls, ...setup].some(call => call.arguments.some(each => each.space === 'constant' && each.index === index))
  )
  const place = used.map((_, index) => used.slice(0, index).filter(Boolean).length)
  const renumbered = (call: Call): Call => ({
    ...call,
    arguments: call.arguments.map(each => (each.space === 'constant' ? { ...each, index: place[each.index] } : each))
  })
  const constants = all.filter((_, index) => used[index])
  return {
    ...first,
    outputs: second.outputs.map(output => ({ ...output, storage: output.storage + counts.storage })),
    counts: [],
    storages: [...first.storages, ...second.storages],
    narrow: [...first.narrow, ...second.narrow.map(index => index + counts.storage)],
    constants,
    derived: [...first.derived, ...second.derived],
    setup: setup.map(renumbered),
    kernels: names,
    calls: calls.map(renumbered),
    constraints: [...first.constraints, ...second.constraints],
    parameters: constants.reduce((sum, { data }) => sum + data.length, 0),
    macs: first.macs
  }
}
