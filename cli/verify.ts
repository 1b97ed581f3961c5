import { isConstant, type Value } from '../compiler/graph/index.js'
import { infer } from '../compiler/infer/index.js'
import { importOnnx } from '../compiler/onnx/index.js'
import {
  generator,
  type PictureRange,
  pictureRanges,
  roundedOtherwise,
  takesPictures
} from '../compiler/quantise/index.js'
import { type Bindings, decodeHeader, encode, type Port, type Program, type Summary } from '../runtime/file/index.js'
import { InferenceSession, type SessionOptions, type Tensor } from '../runtime/index.js'
import {
  type Allowance,
  allowanceOf,
  compare,
  type Difference,
  deviceOptions,
  openReference,
  type Reference,
  selfCheck,
  sessionOptionsOf,
  valuesOf
} from './device/index.js'
import {
  about,
  bindDims,
  buildModel,
  describeBindings,
  difference,
  exposeValues,
  externalDataOf,
  givenOf,
  givenOptions,
  headOf,
  importOf,
  type ModelFile,
  patched,
  patchOption,
  readInputs,
  readModel,
  readPatch,
  settingFeeds,
  stepsOf,
  withGiven,
  withRandom
} from './model/index.js'
import { imageOptions, imagePort, imageTensor, pictureReader, preparationOf } from './pictures/index.js'
import { checkGates, gateOptions, gatesOf } from './report/index.js'
import { moduleAt, refuseFlags, verifyModule } from './standalone/index.js'
import {
  type Command,
  InputError,
  jsonOption,
  type Option,
  Progress,
  print,
  printJson,
  shape,
  short,
  table,
  UsageError
} from './terminal/index.js'

/** What says how an ONNX model is compared; a compiled file says so itself. */
const comparing: readonly Option[] = [
  {
    flag: '--input',
    value: 'NAME=FILE',
    help: 'a .npy or .pb (TensorProto) file as input NAME (repeatable); others are random'
  },
  { flag: '--image', value: 'FILE', help: 'a picture as input, of any format that run takes' },
  ...imageOptions,
  { flag: '--seed', value: 'S', help: 'seed of the drawn inputs (default: the best of 1 to 3)' },
  { flag: '--dims', value: 'N=3,H=64', help: 'free dimensions of random inputs (default 1 for the batch, 64 else)' },
  ...givenOptions,
  {
    flag: '--tolerance',
    value: 'T',
    help: 'largest relative error that passes (default 0.001; of quantised models 3 steps of their bytes)'
  },
  { flag: '--layers', help: 'compare what every node computes, and name the first that diverges' },
  patchOption
]

/** `cairn verify`: the same inputs here and on onnxruntime-node, or a compiled file against its golden data. */
export const verify: Command = {
  name: 'verify',
  usage: '<model>',
  summary:
    'Compare an .onnx with onnxruntime-node, or each layer of a .cairn or .wasm with its golden data (compile --golden).',
  options: [...comparing, ...deviceOptions, ...gateOptions, jsonOption],
  examples: [
    'model.onnx',
    'model.onnx --dims N=3,H=320,W=256 --tolerance 1e-4 --layers',
    'mobilenet.onnx --patch signs.patch --image hand.jpg',
    'model.cairn --device webgpu'
  ],

  async run([path], flags) {
    const module = moduleAt(path)
    if (module) {
      refuseFlags(flags, path, ...comparing, ...deviceOptions, ...gateOptions)
      return verifyModule(module, flags)
    }
    const options = await sessionOptionsOf(flags)
    const tolerance = flags.number('tolerance')
    if (tolerance !== undefined && tolerance < 0)
      throw new UsageError(`--tolerance ${tolerance}: a number of at least 0 is allowed`)
    const files = flags.pairs('input', 'NAME=FILE')
    const dims = flags.dims('dims')
    const patch = await readPatch(flags.text('patch'))
    const prepare = preparationOf(flags, patch?.preparation)
    const image = flags.text('image')

    const gates = gatesOf(flags)
    const model = withGiven(await patched(readModel(path), flags.text('patch')), givenOf(flags))
    if (model.kind === 'cairn') {
      const { header, length } = await headOf(model)
      const { operators } = header
      checkGates(gates, {
        ...{ path, program: header, bindings: bindDims(header), operators },
        bytes: () => length,
        header: () => header
      })
      return selfCheck(model, options, flags, comparing)
    }
    const progress = new Progress(4)
    const opened = await open(model, options, ({ program, summary }) =>
      checkGates(gates, {
        ...{ path, program, bindings: bindDims(program, dims), operators: summary.operators },
        bytes: () => encode(program, summary).length,
        header: () => decodeHeader(encode(program, summary))
      })
    )
    const { session, program } = opened
    const { threads } = session
    const given = readInputs(program, files)
    if (image !== undefined) {
      const port = imagePort(program, prepare.layout)
      const readPicture = await pictureReader([image])
      given[port.name] = imageTensor(readPicture(image), port, prepare)
    }
    const bindings = bindDims(program, dims)
    const random = program.inputs.filter(port => !given[port.name])
    const { feeds, range, seed } = await drawInputs(opened, random, given, bindings, flags.whole('seed', 0))
    progress.step(1, 'onnxruntime')
    const reference = await openReference(patch ? model.bytes : path)
    progress.step(2, 'comparing')
    const set = settingFeeds(model)
    const outputs = await compareAll(session, reference, feeds, session.outputNames, set)
    progress.step(3, 'layers')
    const layers = flags.has('layers') ? await compareLayers(model, options, feeds) : undefined
    progress.stop()
    const allowance = await allowanceFor(model, tolerance)
    const failed = outputs.filter(each => !allowance.passes(each))
    const diverges = layers?.find(each => !allowance.passes(each))
    const inputs = Object.entries(feeds).map(([name, tensor]) => ({
      name,
      dims: tensor.dims,
      random: random.some(r => r.name === name)
    }))
    if (flags.has('json'))
      printJson({
        model: path,
        device: session.device,
        threads,
        seed,
        range: range?.name,
        dims: bindings,
        tolerance: allowance.share,
        steps: allowance.steps,
        inputs,
        outputs,
        layers,
        diverges: diverges?.node,
        passed: !failed.length
      })
    else {
      const how = `${range ? `a drawn scene, ${range.name}, ` : 'random, '}seed ${seed}`
      print(inputs.map(i => `input "${i.name}" ${shape(i.dims)}${i.random ? ` ${how}` : ''}`).join('\n'))
      if (random.length && program.free.length) print(`free dimensions: ${describeBindings(bindings)}`)
      print(`\n${differenceTable(outputs, allowance)}`)
      if (layers) print(`\n${layersText(layers, diverges, allowance)}`)
    }
    if (!failed.length) return
    if (!flags.has('json') && session.device !== 'reference')
      print(
        '\n--device reference (slow: double precision) tells which side is off; --image or --input give natural input'
      )
    const [worst] = failed
    const { name, expected, dims: own } = worst
    throw new InputError(
      expected
        ? `${path}: output "${name}" has shape ${shape(own)}, onnxruntime's has ${shape(expected)}`
        : `${path}: output "${name}" differs from onnxruntime by ${allowance.spoken(worst)}; ${allowance.text} ${allowance.steps ? 'are' : 'is'} allowed`
    )
  }
}

export interface Opened {
  readonly session: InferenceSession
  readonly program: Program
  readonly summary: Summary
}

async function open(
  model: ModelFile,
  options: SessionOptions,
  check?: (built: Pick<Opened, 'program' | 'summary'>) => void
): Promise<Opened> {
  const { program, summary } = await buildModel(model)
  check?.({ program, summary })
  return { session: await load(program, summary, options), program, summary }
}

function load(program: Program, summary: Summary, options: SessionOptions): Promise<InferenceSession> {
  return InferenceSession.create(encode(program, summary), options)
}

/** Outputs that rounding changes by more than this say little about either side. */
const wellConditioned = 3e-5

/**
 * Inputs that were not given. Pictures in the range in which rounding matters least; where that is still much, of three
 * scenes the best.
 */
export async function drawInputs(
  { session, program, summary }: Opened,
  missing: readonly Port[],
  given: Record<string, Tensor>,
  bindings: Bindings,
  wanted: number | undefined
): Promise<Drawn> {
  const seed = wanted ?? 1
  if (!missing.some(takesPictures)) return { feeds: withRandom(given, missing, bindings, seed), seed, change: 0 }
  const twin = await load(roundedOtherwise(program, generator(seed)), summary, { executionProviders: [session.device] })
  const draw = async (range: PictureRange, from: number): Promise<Drawn> => {
    const feeds = withRandom(given, missing, bindings, from, range)
    return { feeds, range, seed: from, change: await difference(session, twin, feeds) }
  }
  let best = await draw(pictureRanges[0], seed)
  const tryNext = async (range: PictureRange, from: number) => {
    const next = await draw(range, from)
    if (next.change < best.change) best = next
  }
  for (const range of pictureRanges.slice(1)) await tryNext(range, seed)
  for (let more = 1; wanted === undefined && more < 3 && best.change > wellConditioned; more++)
    await tryNext(best.range!, seed + more)
  await twin.release()
  return best
}

export interface Drawn {
  readonly feeds: Record<string, Tensor>
  readonly range?: PictureRange
  readonly seed: number
  readonly change: number
}

/** Of a quantised model steps of bytes are allowed, of others rounding. */
export function allowanceFor(model: ModelFile, tolerance?: number): Promise<Allowance> {
  return about(model.path, () => {
    const graph = importOnnx(model.bytes, importOf(model))
    return allowanceOf(tolerance, stepsOf(graph))
  })
}

async function compareAll(
  session: InferenceSession,
  reference: Reference,
  feeds: Record<string, Tensor>,
  names: readonly string[],
  settings: Record<string, Tensor>
): Promise<Difference[]> {
  const ours = await session.run(feeds)
  await session.release()
  const theirs = await reference.run({ ...feeds, ...settings })
  await reference.release()
  return names.map(name => compare(name, valuesOf(ours[name]), theirs[name]))
}

interface LayerDifference extends Difference {
  readonly node: string
  readonly op: string
}

/** What every node computes, in the model's order: both sides run the model with all inner values as outputs. */
async function compareLayers(
  model: ModelFile,
  options: SessionOptions,
  feeds: Record<string, Tensor>
): Promise<LayerDifference[]> {
  const externalData = externalDataOf(model.path)
  const graph = await about(model.path, () => importOnnx(model.bytes, importOf(model)))
  // What branches compute has no name outside of them.
  const named = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  await about(model.path, () => infer(graph))
  const isSeen = (value: Value) => named.has(value) && (value.users.length > 0 || graph.isOutput(value))
  const values = graph.nodes.flatMap(({ name, op, outputs }) =>
    outputs
      .filter(value => isSeen(value) && !isConstant(value) && !value.ints)
      .map(value => ({ value: value.name, node: name, op }))
  )
  const exposed = exposeValues(
    model.bytes,
    values.map(({ value }) => value),
    externalData
  )
  const { session } = await open({ ...model, bytes: exposed }, options)
  const names = values.map(({ value }) => value)
  const peer = await openReference(exposed, { plain: true })
  const differences = await compareAll(session, peer, feeds, names, settingFeeds(model))
  return differences.map((difference, i) => ({ ...difference, node: values[i].node, op: values[i].op }))
}

function differenceTable(outputs: readonly Difference[], allowance: Allowance): string {
  const rows = outputs.map(each => [
    each.name,
    shape(each.dims),
    short(each.absolute),
    short(each.largest),
    short(each.relative),
    allowance.passes(each) ? 'ok' : 'FAILS'
  ])
  const header = ['output', 'shape', 'max abs error', 'reference max', 'relative', `at ${allowance.text}`]
  return table(header, rows, ['left', 'left', 'right', 'right', 'right', 'left'])
}

function layersText(
  layers: readonly LayerDifference[],
  first: LayerDifference | undefined,
  allowance: Allowance
): string {
  const show = ({ op, node, name, dims, relative, absolute }: LayerDifference) =>
    `${op} "${node}", value "${name}" ${shape(dims)}: relative error ${short(relative)} (absolute ${short(absolute)})`
  if (first) return `first node that diverges: ${show(first)}`
  if (!layers.length) return 'no node computes anything that depends on the inputs'
  const worst = layers.reduce((a, b) => (b.relative > a.relative ? b : a))
  return `no node of ${layers.length} values diverges by more than ${allowance.text}; the largest is ${show(worst)}`
}
