import { type Bindings, cutsOf, type Dim, decodeHead, evaluate, type Port, show } from '../../runtime/file/index.js'
import { type MemoryPlan, memoryPlan } from './memory.js'

/** What a .cairn file says of itself, as plain data that can be posted and shown. */
export interface Inspection {
  readonly name: string
  readonly inputs: readonly PortInfo[]
  readonly outputs: readonly PortInfo[]
  readonly free: readonly string[]
  readonly nodesBefore: number
  readonly nodesAfter: number
  readonly batchNormsFolded: number
  /** ONNX operators of the model that was compiled, each once. */
  readonly operators: readonly string[]
  readonly parameters: number
  /** Multiply-accumulates of one run. */
  readonly macs: number
  readonly calls: readonly CallInfo[]
  readonly memory: MemoryPlan
  /** Layers that `session.verify()` can check; 0 where the file has no golden data. */
  readonly golden: number
}

/** A dimension that depends on free ones is their formula; one of which a run makes as much as it finds is `up to` the most. */
export interface PortInfo {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string)[]
}

export interface CallInfo {
  readonly node: string
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
