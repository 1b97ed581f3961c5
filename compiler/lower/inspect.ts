import { type Bindings, cutsOf, type Dim, decodeHead, evaluate, type Port, show } from '../../runtime/file/index.js'
import { type MemoryPlan, memoryPlan } from './memory-report.js'

/** What a .cairn file says of itself, as plain data that can be posted and shown. */
export interface Inspection {
  /** The graph's name. */
  readonly name: string
  /** In the order of the model. */
  readonly inputs: readonly PortInfo[]
  /** In the order of the model. */
  readonly outputs: readonly PortInfo[]
  /** Names of the free dimensions. */
  readonly free: readonly string[]
  /** Nodes of the ONNX graph. */
  readonly nodesBefore: number
  /** Nodes after all passes. */
  readonly nodesAfter: number
  /** BatchNormalizations that became part of other layers. */
  readonly batchNormsFolded: number
  /** ONNX operators of the model that was compiled, each once. */
  readonly operators: readonly string[]
  /** Learnt numbers of the compiled model. */
  readonly parameters: number
  /** Multiply-accumulates of one run. */
  readonly macs: number
  /** Kernel calls of a run, in order. */
  readonly calls: readonly CallInfo[]
  /** Where activations lie in the arena. */
  readonly memory: MemoryPlan
  /** Layers that `session.verify()` can check; 0 where the file has no golden data. */
  readonly golden: number
}

/** A dimension that depends on free ones is their formula; one of which a run makes as much as it finds is `up to` the most. */
export interface PortInfo {
  /** Name of the input or output. */
  readonly name: string
  /** Element type. */
  readonly type: string
  /** Sizes of the axes, or names or formulas of those that are free. */
  readonly shape: readonly (number | string)[]
}

/** A kernel call. */
export interface CallInfo {
  /** Name of the graph node. */
  readonly node: string
  /** Name of the kernel. */
  readonly kernel: string
}

/**
 * Figures are for `dims`, the values of free dimensions (1 where none is given), and for a number of threads. The first bytes
 * of a file are enough, as many as its header has: mostly fewer than 64 KiB.
 */
export function inspect(file: Uint8Array, dims: Bindings = {}, threads = 1): Inspection {
  const { header } = decodeHead(file)
  const bindings = { ...Object.fromEntries(header.free.map(name => [name, 1])), ...dims }
  const { name, free, nodesBefore, nodesAfter, batchNormsFolded, operators, parameters } = header
  return {
    ...{ name, free, nodesBefore, nodesAfter, batchNormsFolded, operators, parameters },
    inputs: header.inputs.map(port => portInfo(port)),
    outputs: header.outputs.map((port, i) =>
      portInfo(
        port,
        cutsOf(header, i).map(({ axis }) => axis)
      )
    ),
    macs: evaluate(header.macs, bindings),
    calls: header.calls.map(({ node, kernel }) => ({ node, kernel: header.kernels[kernel].name })),
    memory: memoryPlan(header, bindings, threads),
    golden: header.golden?.layers.length ?? 0
  }
}

function portInfo({ name, dtype, shape }: Port, cut: readonly number[] = []): PortInfo {
  const sizeOf = (dim: Dim, axis: number) =>
    cut.includes(axis) ? `up to ${show(dim)}` : typeof dim === 'number' ? dim : show(dim)
  return { name, type: dtype, shape: shape.map(sizeOf) }
}
