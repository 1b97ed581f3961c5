import { mostMemory } from '../runtime/backend/index.js'
import { type Bindings, type Program, planProgram, type Stored, type Summary } from '../runtime/file/index.js'
import { type Dim, isStatic } from './algebra/index.js'
import { CompileError } from './errors.js'
import type { Choice, Graph, WinogradTile } from './graph/index.js'
import { type GoldenOptions, type LayerInfo, layerInfos, lower, weightBytes } from './lower/index.js'
import { type ImportOptions, importOnnx, unsetSettings } from './onnx/index.js'
import { kernels as allKernels, ops } from './ops/index.js'
import { passes, print, required, verify } from './passes/index.js'

/** The passes in their order, for whoever shows how far a compilation is. */
export const passNames: readonly string[] = passes.map(({ name }) => name)

/** How weights can be stored. */
export type Weights = Stored | 'int8'

/** How a model is compiled; all of it has a default. */
export interface CompileOptions extends ImportOptions {
  /**
   * How weights are stored in the file, those of large matrices in memory too; sums are single precision either way. By default as
   * the model has them: of one whose weights are mostly float16 the file has halves wherever these are exact. With int8 the file
   * has weights of convolutions and matrices as whole numbers of 8 bits, one scale a filter, which are widened when it is loaded.
   */
  readonly weights?: Weights
  /** The largest output tile of Winograd convolution: 4 by default, 2 for results as exact as direct sums, 0 for none. */
  readonly winograd?: WinogradTile
  /** Names of kernels to take wherever they can run a layer, instead of the cheapest. */
  readonly kernels?: readonly string[]
  /** Passes to leave out, by name; those that lowering depends on cannot be. */
  readonly without?: readonly string[]
  /** Adds golden data for `session.verify()`: a seeded input, and what each layer makes of it in double precision (two runs of the reference). */
  readonly golden?: boolean | GoldenOptions
  /** Bytes that weights and arena may take, free dimensions at 1, and constants on the way; 4 GiB by default. */
  readonly maxMemory?: number
  /** Called after each pass with what it did, the graph's text on demand, and the number of nodes left. */
  readonly onPass?: (name: string, did: string | undefined, text: () => string, nodes: number) => void
  /** Called behind the passes with what tells of each layer, for values of the free dimensions. */
  readonly onLayers?: (layers: (dims?: Bindings) => LayerInfo[]) => void
}

/** The kernels that could run a node, with their costs, and the one that does. */
export interface KernelChoice {
  /** Each kernel that could run it, with its estimated cost. */
  readonly choices: readonly Choice[]
  /** The name of the one that does. */
  readonly chosen: string
}

/** What the pipeline makes of a model before it becomes a file. */
export interface Built {
  /** Behind all passes. */
  readonly graph: Graph
  /** By node, where there was a choice. */
  readonly choices: ReadonlyMap<string, KernelChoice>
  /** Kernel calls, parameters and buffers. */
  readonly program: Program
  /** Figures for the header of the file. */
  readonly summary: Summary
}

/** ONNX bytes to a lowered program: the whole pipeline. */
export function build(bytes: Uint8Array, options: CompileOptions = {}): Built {
  checkOptions(options)
  try {
    return buildGraph(importOnnx(bytes, options), options)
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    const unset = /^(unsupported operators|(no )?setting )/.test(error.message)
      ? undefined
      : unsetSettings(bytes, options.settings)
    if (unset) throw new CompileError(`${error.message}; ${unset}`, true)
    const cure = fixedShapes(bytes, options)
    if (!cure) throw error
    const flags = Object.entries(cure).map(([name, shape]) => `--shape ${name}=${shape.join('x')}`)
    throw new CompileError(`${error.message}; compile with ${flags.join(' ')}, or other sizes`, true)
  }
}

/** Sizes that free dimensions are taken for, batches as 1, to see whether the model compiles with some. */
const usualSizes = [640, 224, 64]

/** Shapes without free dimensions with which a model compiles that is refused without; undefined where there are none. */
function fixedShapes(bytes: Uint8Array, options: CompileOptions): Record<string, number[]> | undefined {
  const quiet = { ...options, onNote: undefined, onPass: undefined }
  for (const size of usualSizes)
    try {
      const { inputs } = importOnnx(bytes, quiet)
      const open = inputs.filter(({ shape }) => !isStatic(shape))
      if (!open.length) return undefined
      const sized = (dim: Dim, axis: number) => (typeof dim === 'number' ? dim : axis ? size : 1)
      const shapes = Object.fromEntries(open.map(({ name, shape }) => [name, shape.map(sized)]))
      buildGraph(importOnnx(bytes, { ...quiet, shapes: { ...options.shapes, ...shapes } }), quiet)
      return shapes
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
    }
  return undefined
}

/** A graph as ONNX has it to a lowered program. */
export function buildGraph(graph: Graph, options: CompileOptions = {}): Built {
  const { maxMemory = mostMemory } = options
  if (!(typeof maxMemory === 'number' && maxMemory > 0))
    throw new CompileError(`maxMemory ${maxMemory}; a number above 0 is allowed`)
  graph.folding.bytes = maxMemory
  refuseUnknown(graph)
  const nodesBefore = graph.nodes.length
  const operators = [...new Set(graph.nodes.map(node => node.op))].sort()
  const batchNorms = countOf(graph, 'BatchNormalization')
  const keepHalves = areMostlyHalves(graph)
  verify(graph, 'import')
  for (const pass of passes) {
    if (options.without?.includes(pass.name)) continue
    const did = pass.run(graph)
    verify(graph, pass.name)
    options.onPass?.(pass.name, did, () => print(graph), graph.nodes.length)
  }
  const choices = new Map<string, KernelChoice>()
  const program = lower(graph, {
    weights: options.weights,
    keepHalves,
    winograd: options.winograd,
    kernels: options.kernels,
    onNote: options.onNote,
    onChoice: (node, list, chosen) => choices.set(node, { choices: list, chosen })
  })
  options.onLayers?.(dims => layerInfos(graph, program.free, dims))
  const { bytes: arena, lowerBound } = planProgram(program, Object.fromEntries(program.free.map(name => [name, 1])))
  const weights = weightBytes(program)
  if (!(weights + arena <= maxMemory))
    throw new CompileError(
      `the model needs ${weights + arena} bytes of memory (weights ${weights}, arena ${arena}) with free dimensions at 1; maxMemory allows ${maxMemory}`
    )
  const summary = {
    arena,
    arenaLowerBound: lowerBound,
    nodesBefore,
    nodesAfter: graph.nodes.length,
    // What could not be folded runs as ScaleShift, which nothing else becomes.
    batchNormsFolded: batchNorms - countOf(graph, 'ScaleShift'),
    operators
  }
  return { graph, choices, program, summary }
}

/** Whether most of the model's own weights are float16. */
function areMostlyHalves({ values }: Graph): boolean {
  let [halves, floats] = [0, 0]
  for (const { data, dtype } of values) {
    if (data && dtype.startsWith('float')) floats += data.length
    if (data && dtype === 'float16') halves += data.length
  }
  return halves * 2 > floats
}

const countOf = (graph: Graph, op: string) => graph.nodes.filter(node => node.op === op).length

function checkOptions({ weights = 'f32', winograd = 4, kernels = [], without = [] }: CompileOptions): void {
  if (weights !== 'f32' && weights !== 'f16' && weights !== 'int8')
    throw new CompileError(`weights "${weights}"; f32, f16 and int8 are allowed`)
  if (![0, 2, 4].includes(winograd)) throw new CompileError(`winograd ${winograd}; 0, 2 and 4 are allowed`)
  for (const name of kernels)
    if (!Object.hasOwn(allKernels, name))
      throw new CompileError(`no kernel "${name}"; there are ${Object.keys(allKernels).join(', ')}`)
  for (const name of without)
    if (!passNames.includes(name) || required.has(name))
      throw new CompileError(
        `pass "${name}" cannot be left out; ${passNames.filter(n => !required.has(n)).join(', ')} can`
      )
}

/** All unsupported operators of a model in one message, each with how often and where it first stands. */
export function refuseUnknown(graph: Graph): void {
  const unknown = new Map<string, { first: string; times: number }>()
  for (const node of graph.nodes) {
    if (ops[node.op]) continue
    const entry = unknown.get(node.op)
    if (entry) entry.times++
    else unknown.set(node.op, { first: node.name, times: 1 })
  }
  if (!unknown.size) return
  if ([...unknown.keys()].some(op => op.startsWith('com.microsoft.nchwc:')))
    throw new CompileError(
      'unsupported operators of com.microsoft.nchwc: onnxruntime has saved the model for its own processor, at graphOptimizationLevel "all"; models that it saves at "extended" are allowed'
    )
  const list = [...unknown].map(([op, { first, times }]) => `${op} (${times}×, first at "${first}")`).join(', ')
  const domains = new Set(
    [...unknown.keys()].filter(op => op.includes(':')).map(op => op.slice(0, op.lastIndexOf(':')))
  )
  const defined = [...domains].map(domain => {
    const names = [...(graph.functions.get(domain) ?? [])]
    const few = names.slice(0, 8).join(', ') + (names.length > 8 ? ' …' : '')
    return `; the model defines ${names.length ? `of ${domain} only ${few}` : `no functions of ${domain}`}`
  })
  throw new CompileError(
    `unsupported operators: ${list}${defined.join('')}; docs/operators.md lists those that are allowed`
  )
}
