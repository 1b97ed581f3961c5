import { basename, extname, join } from 'node:path'
import type { InferenceSession, Results, Tensor } from '../runtime/index.js'
import { deviceOptions, sessionOptionsOf } from './device/index.js'
import {
  bindDims,
  type Classes,
  classesOf,
  describeBindings,
  describePort,
  encodeNpy,
  fileNameOf,
  givenOf,
  givenOptions,
  labelsOf,
  labelsOption,
  mayHoldClasses,
  missingInputs,
  openSession,
  ownClasses,
  patchOption,
  rangeOf,
  readInputs,
  readModel,
  readPatch,
  toNumbers,
  withRandom,
  writeWhole
} from './model/index.js'
import {
  type Crops,
  cropsOf,
  cropsOption,
  imageOptions,
  imagePort,
  imageTensor,
  pictureReader,
  preparationOf
} from './pictures/index.js'
import { runAveraged } from './run/index.js'
import { moduleAt, openModule, refuseFlags } from './standalone/index.js'
import {
  type Command,
  type Flags,
  InputError,
  jsonOption,
  Progress,
  print,
  printJson,
  shape,
  short,
  table,
  UsageError
} from './terminal/index.js'

/** `cairn run`: one model on given inputs. */
export const run: Command = {
  name: 'run',
  usage: '<model...>',
  summary:
    'Run an .onnx, .cairn or .wasm model on images or tensors; of several, or several crops, the mean of the classes.',
  options: [
    {
      flag: '--image',
      value: 'FILE',
      help: 'a picture as input: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF (repeatable; each is one run)'
    },
    ...imageOptions,
    cropsOption,
    { flag: '--input', value: 'NAME=FILE', help: 'a .npy or .pb (TensorProto) file as input NAME (repeatable)' },
    { flag: '--random', value: 'SEED', help: 'seeded random numbers for the inputs that are not given' },
    { flag: '--dims', value: 'N=1,H=64', help: 'free dimensions of random inputs' },
    patchOption,
    ...givenOptions,
    ...deviceOptions,
    { flag: '--max-memory', value: 'N', help: 'refuse a model whose weights and arena need more' },
    { flag: '--top', value: 'K', help: 'print the K best classes (default 5 with --image)' },
    labelsOption,
    { flag: '--out', value: 'DIR', help: 'write each output as DIR/NAME.npy' },
    jsonOption
  ],
  examples: [
    'mobilenet.cairn --image cat.jpg --labels imagenet.txt',
    'model.onnx --input x=x.npy --out results',
    'first.onnx second.onnx --image cat.jpg --crops 10'
  ],

  async run(paths, flags) {
    const crops = cropsOf(flags)
    if (paths.length > 1 || crops > 1) return averaged(paths, flags, crops)
    const [path] = paths
    const module = moduleAt(path)
    if (module) refuseFlags(flags, path, patchOption, ...givenOptions, ...deviceOptions, 'dims', 'max-memory')
    const options = { ...(await sessionOptionsOf(flags)), maxMemory: flags.bytes('max-memory') }
    const patch = await readPatch(flags.text('patch'))
    const prepare = preparationOf(flags, patch?.preparation)
    const images = flags.all('image')
    const given = flags.pairs('input', 'NAME=FILE')
    const seed = flags.whole('random', 0)
    const top = flags.whole('top') ?? (images.length ? 5 : undefined)
    const labels = labelsOf(flags) ?? patch?.classes ?? (module ? undefined : await ownClasses(readModel(path)))
    const folder = flags.text('out')

    const { session, header } = module
      ? await openModule(module)
      : await openSession(path, options, flags.text('patch'), givenOf(flags))
    const feeds = readInputs(header, given)
    const target = images.length ? imagePort(header, prepare.layout) : undefined
    if (target && feeds[target.name])
      throw new UsageError(`--image and --input ${target.name} give the same input twice`)
    const bindings = bindDims(header, flags.dims('dims'))
    const open = header.inputs.filter(port => !feeds[port.name] && port !== target)
    if (open.length && seed === undefined)
      throw new InputError(
        `${path} takes ${missingInputs(header, feeds)}; give --image, --input NAME=FILE or --random SEED`
      )
    const all = withRandom(feeds, open, bindings, seed ?? 0)

    const readPicture = await pictureReader(images)
    const runs: Run[] = []
    const progress = new Progress(Math.max(images.length, 1))
    for (const image of target ? images : [undefined]) {
      const own = target ? { ...all, [target.name]: imageTensor(readPicture(image!), target, prepare) } : all
      runs.push(await timedRun(session, own, image))
      progress.step(runs.length, image ?? 'run')
    }
    progress.stop()
    if (folder !== undefined)
      runs.forEach((each, i) => {
        writeOutputs(folder, each.results, prefixOf(images, i))
      })
    const said = flags.text('top') !== undefined
    const described = runs.map(each => ({
      ...describe(each),
      ...(top ? classesOf(each.results, header, { count: top, labels, said }) : {})
    }))
    const { device, threads, choice } = session
    await session.release()
    if (flags.has('json')) return printJson({ model: path, device, choice, threads, runs: described })
    if (choice && flags.text('device')) print(`device ${choice}`)
    if (open.length)
      print(`random inputs (seed ${seed}): ${open.map(describePort).join(', ')} at ${describeBindings(bindings)}`)
    if (said && described.some(each => !('top' in each)))
      print('no output holds one score a class, so there are no best classes')
    else if (top && runs.some(({ results }, i) => !('top' in described[i]) && mayHoldClasses(results, header)))
      print('no output says that it holds scores of classes; --top K or --labels FILE shows the best of one that does')
    for (const each of described) print(`${textOf(each, device)}\n`)
  }
}

/** The mean of several models, or of several parts of each picture. */
async function averaged(paths: readonly string[], flags: Flags, crops: Crops): Promise<void> {
  const options = { ...(await sessionOptionsOf(flags)), maxMemory: flags.bytes('max-memory') }
  const patch = await readPatch(flags.text('patch'))
  await runAveraged(paths, flags, { crops, prepare: preparationOf(flags, patch?.preparation), options })
}

interface Run {
  readonly image: string | undefined
  readonly results: Results
  readonly ms: number
}

async function timedRun(
  session: Pick<InferenceSession, 'run'>,
  feeds: Record<string, Tensor>,
  image: string | undefined
): Promise<Run> {
  const began = performance.now()
  const results = await session.run(feeds)
  return { image, results, ms: performance.now() - began }
}

/** Elements of an output that are shown one by one. */
const mostShown = 32

function describe({ image, results, ms }: Run) {
  const outputs = Object.entries(results).map(([name, tensor]) => {
    const { type, dims } = tensor
    const numbers = toNumbers(tensor)
    const values = numbers.length <= mostShown ? [...numbers] : undefined
    return { name, type, dims, ...rangeOf(numbers), values }
  })
  return { image, ms, outputs }
}

function textOf(run: ReturnType<typeof describe> & Partial<Classes>, device: string): string {
  const rows = run.outputs.map(o => [o.name, o.type, shape(o.dims), short(o.min), short(o.max), short(o.mean)])
  const outputs = table(['output', 'type', 'shape', 'min', 'max', 'mean'], rows, [
    'left',
    'left',
    'left',
    'right',
    'right',
    'right'
  ])
  const lines = [`${run.image ? `${run.image}: ` : ''}${run.ms.toFixed(1)} ms on ${device} (first run)`, outputs]
  for (const { name, dims, values } of run.outputs)
    if (values?.length && name !== run.output) lines.push(...rowsOf(name, dims, values))
  if (run.top) {
    if (run.softmax) lines.push(`"${run.output}" holds no probabilities; shown after a softmax`)
    for (const { index, score, label } of run.top)
      lines.push(`  ${(score * 100).toFixed(2).padStart(6)} %  ${label ?? `class ${index}`}`)
  }
  return lines.join('\n')
}

/** A few numbers as they are, a line for each row: boxes, landmarks, a value. */
function rowsOf(name: string, dims: readonly number[], values: readonly number[]): string[] {
  const columns = dims.at(-1) || 1
  const rows = Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns))
  return [`"${name}":`, ...rows.map(row => `  ${row.map(short).join('  ')}`)]
}

/** Several images' outputs are told apart by the images' names. */
function prefixOf(images: readonly string[], index: number): string {
  if (images.length < 2) return ''
  const stems = images.map(image => fileNameOf(basename(image, extname(image))))
  const again = stems.slice(0, index).filter(stem => stem === stems[index]).length
  return `${stems[index]}${again ? `-${again + 1}` : ''}.`
}

function writeOutputs(folder: string, results: Results, prefix: string): void {
  for (const [name, tensor] of Object.entries(results))
    writeWhole(join(folder, `${prefix}${fileNameOf(name)}.npy`), encodeNpy(tensor))
}
