import { resolve } from 'node:path'
import type { WithConstants } from '../compiler/lower/index.js'
import { kindOf } from '../compiler/onnx/index.js'
import { workOf } from '../runtime/check/index.js'
import {
  type Bindings,
  decodeHeader,
  encode,
  evaluate,
  type Golden,
  goldenBytes,
  type Header,
  residentBytes,
  storedLength
} from '../runtime/file/index.js'
import {
  about,
  arithmeticOf,
  arithmeticText,
  bindDims,
  buildModel,
  describeBindings,
  describeFree,
  describeOutputs,
  describePort,
  fetchHead,
  givenOf,
  givenOptions,
  headOf,
  importOf,
  isUrl,
  type ModelFile,
  memoryOf,
  readBytes,
  readModel,
  withGiven,
  writeWhole
} from './model/index.js'
import {
  checkGates,
  type Explained,
  explained,
  explanationText,
  gateOptions,
  gatesOf,
  gpuNeeds,
  inspectPatch,
  kernelsOf,
  type Layer,
  layersOf,
  layerTable,
  memoryReport,
  memoryText,
  originalGraph,
  planSvg,
  totalsOf
} from './report/index.js'
import { inspectModule, moduleAt, refuseFlags } from './standalone/index.js'
import {
  type Command,
  count,
  facts,
  InputError,
  jsonOption,
  oneLine,
  print,
  printJson,
  scaled,
  size,
  table,
  UsageError
} from './terminal/index.js'

/** `cairn inspect`: what a model holds and needs, without running it. */
export const inspect: Command = {
  name: 'inspect',
  usage: '<model>',
  summary:
    'Show nodes, shapes, parameters, MACs, receptive field and memory of an .onnx or .cairn model (of a .cairn the first 64 KiB, or its URL, are enough), or what a .wasm model or a .patch holds.',
  options: [
    { flag: '--layers', help: 'a table of all layers, for ONNX as its paper lists them, with their kernels' },
    {
      flag: '--explain',
      help: 'with --layers: derive each size, number of parameters, MACs and receptive field in the terms of its formula'
    },
    { flag: '--memory', help: 'the memory plan: every storage, its bytes, and the calls that it lives through' },
    { flag: '--plot', value: 'FILE.svg', help: 'draw the memory plan' },
    { flag: '--dims', value: 'N=1,H=64', help: 'values of free dimensions (default 1 for the batch, 64 else)' },
    ...givenOptions,
    ...gateOptions,
    jsonOption
  ],
  examples: [
    'vgg16.onnx --layers --explain',
    'signs.patch',
    'https://example.org/resnet50.cairn --max-memory 200MiB',
    'unet.cairn --memory --dims H=256,W=256 --plot plan.svg'
  ],

  async run([path], flags) {
    const wanted = { layers: flags.has('layers'), memory: flags.has('memory'), plot: flags.text('plot') }
    if (wanted.plot !== undefined && resolve(wanted.plot) === resolve(path))
      throw new UsageError(`--plot ${wanted.plot} would overwrite the model`)
    const explain = flags.has('explain')
    if (explain && !wanted.layers) throw new UsageError('--explain is of no use without --layers')
    const dims = flags.dims('dims')
    if (!isUrl(path)) {
      const bytes = readBytes(path, 'model')
      if (kindOf(bytes)?.name === 'patch') return inspectPatch(path, bytes, flags)
    }
    const module = moduleAt(path)
    if (module) {
      refuseFlags(flags, path, 'layers', 'explain', 'memory', 'plot', 'dims', ...givenOptions, ...gateOptions)
      return inspectModule(module, flags)
    }
    const gates = gatesOf(flags)
    const subject = await read(isUrl(path) ? await fetchHead(path) : withGiven(readModel(path), givenOf(flags)))
    const { program } = subject
    const bindings = bindDims(program, dims)
    checkGates(gates, {
      path,
      program,
      bindings,
      operators: subject.onnxOperators,
      bytes: () => subject.length(),
      header: () => subject.header()
    })
    const memory = memoryOf(program, bindings)
    const limits = subject.isCompiled ? await limitsOf(path, subject.header(), bindings) : undefined
    const layers = subject.layersAt(bindings)
    if (explain && !layers) throw new InputError(`${path} is compiled; formulas are told of an ONNX model`)
    const formulas = explain ? subject.explain(layers!, bindings) : undefined
    const plan = memoryReport(program, bindings)
    const peak = memory.weights + memory.arena
    if (wanted.plot !== undefined)
      writeWhole(wanted.plot, planSvg(plan, `${program.name} at ${describeBindings(bindings)}`))

    const totals = layers && totalsOf(layers)
    const macs = evaluate(program.macs, bindings)
    if (flags.has('json')) {
      const { arena, lowerBound, ratio, storages } = plan
      return printJson({
        model: path,
        name: program.name,
        inputs: program.inputs.map(describePort),
        outputs: describeOutputs(program),
        free: program.free,
        dims: bindings,
        nodes: { before: subject.nodesBefore, after: subject.nodesAfter },
        operators: subject.operators,
        parameters: totals?.parameters ?? program.parameters,
        macs: totals?.macs ?? macs,
        receptiveField: totals?.field,
        file: subject.isCompiled ? { bytes: subject.length(), here: subject.bytes } : undefined,
        limits,
        golden: subject.golden ? { layers: subject.golden.layers.length, bytes: goldenBytes(subject.golden) } : null,
        weights: arithmeticText(arithmeticOf(program)),
        memory: { peak, weights: memory.weights, arena, lowerBound, ratio },
        layers: wanted.layers ? (layers ?? callsOf(program, bindings)) : undefined,
        explained: formulas,
        storages: wanted.memory ? storages : undefined
      })
    }
    const at = describeBindings(bindings)
    const entries: [string, string][] = [
      ['model', `${program.name} (${path}, ${size(subject.bytes)})`],
      ...program.inputs.map((port): [string, string] => ['input', describePort(port)]),
      ...describeOutputs(program).map((output): [string, string] => ['output', output]),
      ['free dimensions', program.free.length ? `${describeFree(program)}; figures are for ${at}` : 'none'],
      ['nodes', `${subject.nodesBefore}, compiled ${subject.nodesAfter} in ${program.calls.length} calls`],
      [
        subject.listed,
        Object.entries(subject.operators)
          .map(([op, times]) => `${op} ${times}`)
          .join(', ')
      ],
      ['parameters', totals ? count(totals.parameters) : `${count(program.parameters)} in the file, after folding`],
      ['MACs', `${count(totals?.macs ?? macs)} (${scaled(totals?.macs ?? macs)})`],
      [
        'receptive field',
        totals ? `${totals.field} (of the last layer before the whole input is seen)` : 'told from the ONNX model only'
      ],
      ['golden data', goldenText(subject)],
      ['weights', weightsText(program)],
      ['peak memory', `${size(peak)}: weights ${size(memory.weights)}, arena ${size(memory.arena)}`],
      ...(limits ? limitFacts(limits) : [])
    ]
    if (subject.isCompiled && subject.bytes < subject.length())
      entries.splice(1, 0, [
        'file',
        `${count(subject.length())} bytes, of which the first ${count(subject.bytes)} are here`
      ])
    print(facts(entries))
    if (wanted.layers) print(`\n${layers ? layerTable(layers) : callTable(program, bindings)}`)
    if (formulas) print(`\n${explanationText(formulas)}`)
    if (wanted.memory) print(`\n${memoryText(plan)}`)
    if (wanted.plot !== undefined) print(`\nplan drawn in ${wanted.plot}`)
  }
}

interface Subject {
  readonly program: WithConstants
  readonly bytes: number
  readonly nodesBefore: number
  readonly nodesAfter: number
  /** What `operators` counts. */
  readonly listed: string
  readonly operators: Readonly<Record<string, number>>
  /** Of a compiled file that has any. */
  readonly golden?: Golden
  readonly isCompiled: boolean
  readonly onnxOperators: readonly string[]
  /** Bytes of the compiled file, whole, and its header. */
  length(): number
  header(): Header
  layersAt(bindings: Bindings): Layer[] | undefined
  explain(layers: readonly Layer[], bindings: Bindings): Explained[]
}

async function read(model: ModelFile): Promise<Subject> {
  const bytes = model.bytes.length
  if (model.kind === 'cairn') {
    const { header, length } = await headOf(model)
    const { nodesBefore, nodesAfter, golden } = header
    const operators = tally(header.calls.map(call => header.kernels[call.kernel].name))
    const listed = 'kernels'
    const layersAt = () => undefined
    const explain = () => []
    return {
      ...{ program: header, bytes, nodesBefore, nodesAfter, listed, operators, golden, layersAt, explain },
      isCompiled: true,
      onnxOperators: header.operators,
      length: () => length,
      header: () => header
    }
  }
  const built = await buildModel(model)
  const { program, summary } = built
  const kernels = kernelsOf(built)
  const graph = await about(model.path, () => originalGraph(model.bytes, importOf(model)))
  const operators = tally(graph.nodes.map(node => node.op))
  const { nodesBefore, nodesAfter } = summary
  let encoded: Uint8Array | undefined
  const file = () => (encoded ??= encode(program, summary))
  return {
    program,
    bytes,
    nodesBefore,
    nodesAfter,
    listed: 'operators',
    operators,
    isCompiled: false,
    onnxOperators: summary.operators,
    length: () => file().length,
    header: () => decodeHeader(file()),
    layersAt: bindings => layersOf(graph, bindings, kernels),
    explain: (layers, bindings) => explained(graph, layers, bindings)
  }
}

interface FileLimits {
  /** Innermost steps of a run, which `maxWork` bounds. */
  readonly work: number
  /** What WebGPU needs; or why it cannot run the file. */
  readonly webgpu: { readonly pipelines: number; readonly maxStorageBufferBindingSize: number } | string
}

/** What running the file asks of a host; refuses a file whose calls are not valid. */
function limitsOf(path: string, header: Header, bindings: Bindings): Promise<FileLimits> {
  return about(path, () => {
    const work = workOf(header, header.calls, bindings)
    try {
      const { pipelines, binding } = gpuNeeds(header, bindings)
      return { work, webgpu: { pipelines: pipelines.all, maxStorageBufferBindingSize: binding } }
    } catch (error) {
      return { work, webgpu: oneLine(error) }
    }
  })
}

function limitFacts({ work, webgpu }: FileLimits): [string, string][] {
  const gpu =
    typeof webgpu === 'string'
      ? webgpu
      : `${webgpu.pipelines} pipelines, storage buffers of up to ${size(webgpu.maxStorageBufferBindingSize)}`
  return [
    ['work', `${scaled(work)} innermost steps a run`],
    ['WebGPU', gpu]
  ]
}

function goldenText({ golden, isCompiled }: Subject): string {
  if (golden)
    return `${golden.layers.length} layers, ${size(goldenBytes(golden))}: cairn verify checks a device with it`
  return isCompiled ? 'none' : 'compile --golden adds some'
}

function weightsText(program: WithConstants): string {
  const { constants } = program
  const arithmetic = arithmeticOf(program)
  if (arithmetic.stored === 'i8') return arithmeticText(arithmetic)
  if (!constants.some(({ stored }) => stored === 'f16')) return 'f32'
  const halves = constants.filter(({ kept }) => kept === 'f16').reduce((sum, each) => sum + residentBytes(each), 0)
  return `f16 in the file, f32 in memory${halves ? ` but for ${size(halves)} of f16` : ''}`
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a))
}

/** A compiled file's own list: calls, with the weights that they read and the storage they write. */
function callsOf({ calls, kernels, constants, derived, storages, narrow }: WithConstants, bindings: Bindings) {
  return calls.map(({ node, kernel, arguments: given }) => {
    const read = given.map(({ space, index }) => {
      if (space === 'storage') return 0
      return space === 'derived' ? derived[index] : storedLength(constants[index])
    })
    const written = given.find(({ space, access }) => space === 'storage' && access === 'write')
    return {
      node,
      kernel: kernels[kernel].name,
      weights: read.reduce((a, b) => a + b, 0),
      storage: written ? written.index : null,
      storageBytes: written ? evaluate(storages[written.index], bindings) * (narrow.includes(written.index) ? 1 : 4) : 0
    }
  })
}

function callTable(program: WithConstants, bindings: Bindings): string {
  const rows = callsOf(program, bindings).map(({ node, kernel, weights, storage, storageBytes }) => [
    node,
    kernel,
    weights ? count(weights) : '',
    storage === null ? '' : String(storage),
    count(storageBytes)
  ])
  return table(['node', 'kernel', 'weights read', 'into storage', 'bytes of it'], rows, [
    'left',
    'left',
    'right',
    'right',
    'right'
  ])
}
