import { extname, resolve } from 'node:path'
import type { WinogradTile } from '../compiler/graph/index.js'
import type { Weights } from '../compiler/index.js'
import { goldenOf } from '../compiler/lower/index.js'
import { importOnnx } from '../compiler/onnx/index.js'
import { passes, print as printGraph, required } from '../compiler/passes/index.js'
import {
  type Bindings,
  decodeHeader,
  encode,
  evaluate,
  type Golden,
  goldenBytes,
  type Program
} from '../runtime/file/index.js'
import {
  about,
  arithmeticOf,
  arithmeticText,
  type BuiltModel,
  bindDims,
  buildModel,
  describeBindings,
  givenOf,
  givenOptions,
  importOf,
  memoryOf,
  patched,
  patchOption,
  readModel,
  readPatch,
  withGiven,
  writeWhole
} from './model/index.js'
import { preparationOf } from './pictures/index.js'
import { checkQuantising, quantisedFacts, quantiseModel, quantiseOptions, sectionsOf, tell } from './quantise/index.js'
import { checkGates, contentOf, gateOptions, gatesOf, ratioOf, reportHtml } from './report/index.js'
import { type ModuleRequest, moduleOf, moduleOptions, moduleRequestOf, writeModule } from './standalone/index.js'
import {
  type Command,
  count,
  type Flags,
  facts,
  InputError,
  jsonOption,
  Progress,
  print,
  printJson,
  printNotes,
  scaled,
  size,
  table,
  UsageError
} from './terminal/index.js'

const optional = passes.filter(({ name }) => !required.has(name)).map(({ name }) => name)
const dumpable = ['import', ...passes.map(({ name }) => name)]

function winogradOf(flags: Flags): WinogradTile | undefined {
  const tile = flags.text('winograd')
  if (tile === undefined) return undefined
  if (tile === '0' || tile === '2' || tile === '4') return Number(tile) as WinogradTile
  throw new UsageError(`--winograd ${tile}: 0, 2 and 4 are allowed`)
}

/** `cairn compile`: ONNX → .cairn, and what the compiler did on the way. */
export const compile: Command = {
  name: 'compile',
  usage: '<model.onnx>',
  summary: 'Compile an ONNX model to a .cairn file, or to a WebAssembly module that needs nothing else.',
  options: [
    {
      flag: '-o, --output',
      value: 'FILE',
      help: 'the .cairn file to write, or by its name one .wasm, with --calibrate also a QDQ .onnx; default: beside the model, by its name with .cairn'
    },
    {
      flag: '--weights',
      value: 'f32|f16|int8',
      help: 'how weights are stored (default: as the model has them); int8 with --calibrate computes in 8 bits, int8 alone is a quarter of the download, widened when it is loaded, and computes in floats'
    },
    ...quantiseOptions,
    patchOption,
    ...givenOptions,
    { flag: '--dump', value: 'PASS', help: `print the graph behind ${dumpable.join(', ')}` },
    {
      flag: '--winograd',
      value: '0|2|4',
      help: 'largest tile of Winograd convolution (default 4; 2 rounds as direct sums do)'
    },
    {
      flag: '--kernel',
      value: 'NAME',
      help: 'a kernel to take wherever it can run a layer (repeatable; inspect --layers)'
    },
    { flag: '--golden', help: 'add golden data, with which verify finds the first layer that a device gets wrong' },
    {
      flag: '--golden-dims',
      value: 'N=1,H=64',
      help: 'free dimensions of the golden input (default 1 and as small as can be)'
    },
    ...moduleOptions,
    ...optional.map(name => ({ flag: `--no-${name}`, help: 'leave this pass out' })),
    ...gateOptions.map(option => ({ ...option, help: option.help.replace('fail', 'fail, and write nothing,') })),
    { flag: '--report', value: 'FILE.html', help: 'write a page with passes, layers and the memory plan' },
    jsonOption
  ],
  examples: [
    'resnet50.onnx -o resnet50.cairn --weights f16',
    'resnet50.onnx --weights int8 --calibrate photos/ -o resnet50.int8.cairn',
    'model.onnx --shape input=1x3x224x224 --dump fold-batchnorm',
    'model.onnx --golden --golden-dims H=64,W=64',
    'model.onnx -o model.wasm --dims N=1 --wasi --emit c-header'
  ],

  async run([path], flags) {
    const weights = weightsOf(flags)
    const calibrate = flags.text('calibrate')
    const dump = flags.text('dump')
    if (dump !== undefined && !dumpable.includes(dump))
      throw new UsageError(`--dump ${dump}: no such pass; ${dumpable.join(', ')} are allowed`)
    const without = optional.filter(name => flags.without(name))
    if (dump && without.includes(dump)) throw new UsageError(`--dump ${dump} and --no-${dump} exclude each other`)
    const asked = givenOf(flags)
    const goldenDims = flags.dims('golden-dims')
    if (goldenDims.length && !flags.has('golden')) throw new UsageError('--golden-dims is of no use without --golden')
    const gates = gatesOf(flags)
    const output = flags.text('output') ?? path.replace(/\.onnx$/i, '').concat('.cairn')
    const kind = extname(output).toLowerCase()
    const toOnnx = calibrate !== undefined && kind === '.onnx'
    const request = moduleRequestOf(flags, kind === '.wasm')
    if (kind !== '.cairn' && !request && !toOnnx)
      throw new UsageError(
        `-o ${output}: a name that ends in .cairn or .wasm is allowed${kind === '.onnx' ? ', with --calibrate also one in .onnx' : ''}`
      )
    const reportPath = flags.text('report')
    if (toOnnx && reportPath !== undefined) throw new UsageError('--report is of a compiled file, not of an .onnx')
    if (resolve(output) === resolve(path)) throw new UsageError(`-o ${output} would overwrite the model`)
    if (reportPath !== undefined && [path, output].some(taken => resolve(taken) === resolve(reportPath)))
      throw new UsageError(`--report ${reportPath} would overwrite the model or the compiled file`)

    const given = await patched(readModel(path), flags.text('patch'))
    const prepare = preparationOf(flags, (await readPatch(flags.text('patch')))?.preparation)
    if (given.kind === 'cairn') throw new InputError(`${path} is compiled already; an ONNX model is allowed`)
    const quantised =
      calibrate === undefined ? undefined : await quantiseModel(withGiven(given, asked), calibrate, prepare, flags)
    const model = quantised?.model ?? withGiven(given, asked)
    if (quantised && toOnnx) {
      writeWhole(output, model.bytes)
      return tell({ path, output, bytes: model.bytes.length, onnxBytes: given.bytes.length }, quantised, flags)
    }
    const imported = importOf(model)
    let text = dump === 'import' ? await about(path, () => printGraph(importOnnx(model.bytes, imported))) : ''
    const notes: string[] = [...(quantised?.notes ?? [])]
    const built = await buildModel(model, {
      ...imported,
      without,
      weights: quantised ? undefined : weights,
      winograd: winogradOf(flags),
      kernels: flags.all('kernel'),
      maxMemory: gates.memory,
      onPass: (name, _did, show) => {
        if (name === dump) text = show()
      },
      onNote: note => notes.push(note)
    })
    const { program, summary } = built
    for (const name of flags.all('kernel'))
      if (!program.kernels.some(kernel => kernel.name === name))
        throw new InputError(
          `${path}: no layer can run on --kernel ${name}; inspect --layers shows what each can run on`
        )
    const golden = flags.has('golden') && !request ? await goldenFor(path, program, goldenDims) : undefined
    const compiled = encode(program, { ...summary, golden })
    const file = request ? await moduleFor(path, program, request, flags) : compiled
    const bindings = request?.dims ?? bindDims(program)
    const memory = memoryOf(program, bindings)
    const { operators } = summary
    const header = () => decodeHeader(compiled)
    checkGates(gates, { path, program, bindings, operators, bytes: () => file.length, header })
    const besides = request ? writeModule(output, file, request) : undefined
    if (!request) writeWhole(output, file)
    printNotes(path, notes)
    const report = {
      model: path,
      output,
      besides,
      weights: weights && weights !== 'int8' ? weights : arithmeticText(arithmeticOf(program)),
      notes,
      bytes: file.length,
      onnxBytes: given.bytes.length,
      quantised: quantised?.report,
      passes: passes.map(
        ({ name }) => built.passes.find(pass => pass.name === name) ?? { name, did: 'left out', nodes: null }
      ),
      nodesBefore: summary.nodesBefore,
      nodesAfter: summary.nodesAfter,
      batchNormsFolded: summary.batchNormsFolded,
      parameters: program.parameters,
      macs: evaluate(program.macs, bindings),
      dims: bindings,
      arena: memory.arena,
      arenaLowerBound: memory.lowerBound,
      memory: memory.weights + memory.arena,
      checks: request && flags.has('golden') ? program.calls.length : undefined,
      golden: golden && {
        layers: golden.layers.length,
        bytes: goldenBytes(golden),
        dims: Object.fromEntries(program.free.map((name, i) => [name, golden.sizes[i]]))
      }
    }
    const overview = [...overviewOf(built, report), ...(quantised ? quantisedFacts(quantised) : [])]
    if (reportPath !== undefined) {
      const content = await contentOf(built, { path, bytes: model.bytes, imported }, bindings)
      const more = quantised && sectionsOf(quantised.report)
      writeWhole(reportPath, reportHtml({ ...content, facts: overview, passes: passRows(report), more }))
    }
    if (flags.has('json')) printJson(dump ? { ...report, dump: text } : report)
    else if (dump) print(text)
    else print(`${table(passHeader, passRows(report), ['left', 'left', 'right'])}\n\n${facts(overview)}`)
  }
}

type Report = {
  readonly output: string
  readonly besides?: readonly string[]
  readonly bytes: number
  readonly onnxBytes: number
  readonly weights: string
  readonly dims: Readonly<Record<string, number>>
  readonly macs: number
  readonly arena: number
  readonly arenaLowerBound: number
  /** Layers that a module's own check looks at. */
  readonly checks?: number
  readonly golden?: { readonly layers: number; readonly bytes: number; readonly dims: Bindings }
  readonly passes: readonly { name: string; did?: string; nodes: number | null }[]
}

/** Bound as everywhere on the command line where sizes are given, else as small as the model takes. */
function goldenFor(path: string, program: Program, given: readonly [string, string][]): Promise<Golden> {
  let progress: Progress | undefined
  return about(path, () => {
    try {
      const bound = given.length ? bindDims(program, given, '--golden-dims') : {}
      return goldenOf(program, {
        dims: bound,
        onLayer(done, total) {
          progress ??= new Progress(total)
          progress.step(done, `golden data, layer ${done} of ${total}`)
        }
      })
    } finally {
      progress?.stop()
    }
  })
}

/** A module, of which the reference takes a while to make golden data. */
async function moduleFor(path: string, program: Program, request: ModuleRequest, flags: Flags): Promise<Uint8Array> {
  const progress = new Progress(2)
  try {
    progress.step(1, 'WebAssembly')
    return await moduleOf(path, program, request, flags.has('golden'))
  } finally {
    progress.stop()
  }
}

const passHeader = ['pass', 'did', 'nodes left']

function passRows({ passes: done }: Report): string[][] {
  return done.map(({ name, did, nodes }) => [name, did ?? '-', nodes === null ? '' : String(nodes)])
}

function overviewOf({ program, summary }: BuiltModel, report: Report): [string, string][] {
  const at = describeBindings(report.dims)
  const share = ratioOf({ bytes: report.arena, lowerBound: report.arenaLowerBound }).toFixed(3)
  return [
    ['nodes', `${summary.nodesBefore} → ${summary.nodesAfter}`],
    ['BatchNorms folded', String(summary.batchNormsFolded)],
    ['parameters', `${count(program.parameters)} in the file`],
    ['MACs', `${scaled(report.macs)} at ${at}`],
    ['kernels', kernelCounts(program)],
    ['arena', `${size(report.arena)} (${count(report.arena)} bytes) at ${at}`],
    ['arena lower bound', `${size(report.arenaLowerBound)}; the arena is ${share} of it`],
    [
      'golden data',
      report.golden
        ? `${report.golden.layers} layers, ${count(report.golden.bytes)} bytes, at ${describeBindings(report.golden.dims)}`
        : report.checks
          ? `${report.checks} layers, at the module's sizes`
          : 'none (--golden adds it)'
    ],
    [
      'file',
      `${report.output}, ${count(report.bytes)} bytes, weights ${report.weights} (ONNX: ${count(report.onnxBytes)})`
    ],
    ...(report.besides ? [['beside it', report.besides.join(', ')] as [string, string]] : [])
  ]
}

/** The kernels and how many calls each has. */
function kernelCounts({ calls, kernels }: BuiltModel['program']): string {
  const counts = kernels.map(({ name }, i) => ({ name, times: calls.filter(({ kernel }) => kernel === i).length }))
  const called = counts.filter(({ times }) => times).sort((a, b) => b.times - a.times)
  return called.map(({ name, times }) => `${name} ${times}`).join(', ')
}

function weightsOf(flags: Flags): Weights | undefined {
  const weights = flags.text('weights') && flags.choice<Weights>('weights', ['f32', 'f16', 'int8'], 'f32')
  if (weights !== 'int8' && flags.text('calibrate') !== undefined)
    throw new UsageError('--calibrate is of no use without --weights int8')
  checkQuantising(flags)
  return weights || undefined
}
