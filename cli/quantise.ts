import { extname, resolve } from 'node:path'
import { encode } from '../runtime/file/index.js'
import {
  about,
  arithmeticOf,
  arithmeticText,
  type BuiltModel,
  bindDims,
  buildModel,
  decodeModel,
  fileOf,
  givenOf,
  givenOptions,
  importOf,
  labelsOf,
  type ModelFile,
  ownClasses,
  patched,
  patchOption,
  readModel,
  readPatch,
  withGiven,
  writeWhole
} from './model/index.js'
import { type Preparation, preparationOf } from './pictures/index.js'
import {
  checkQuantising,
  type Evaluation,
  evaluateOptions,
  evaluatingNames,
  evaluationFacts,
  evaluationRows,
  evaluationText,
  openEvaluation,
  type QuantisedModel,
  quantisedFacts,
  quantiseModel,
  quantiseOptions,
  quantisingNames,
  sectionsOf,
  tell
} from './quantise/index.js'
import { contentOf, reportHtml } from './report/index.js'
import { type Command, type Flags, InputError, jsonOption, print, printJson, UsageError } from './terminal/index.js'
import { trainingPart } from './train/index.js'

/** `cairn quantise`: float ONNX → int8, and what it costs, layer by layer and on labelled pictures. */
export const quantise: Command = {
  name: 'quantise',
  usage: '<model.onnx>',
  summary: 'Quantise an ONNX model to 8 bits, with what each layer loses and what that costs on labelled images.',
  options: [
    {
      flag: '-o, --output',
      value: 'FILE',
      help: 'the .cairn file to write, or by its name a QDQ .onnx; default: beside the model, by its name with .int8.cairn'
    },
    ...quantiseOptions,
    ...evaluateOptions,
    { flag: '--report', value: 'FILE.html', help: 'write a page with layers, ranges, passes and the memory plan' },
    ...givenOptions,
    patchOption,
    jsonOption
  ],
  examples: [
    'mobilenet.onnx --calibrate photos/',
    'mobilenet.onnx --calibrate photos/ --int8-budget 0.02 -o mobilenet.qdq.onnx',
    'signs.onnx --calibrate photos/train --evaluate photos/val --limit 500',
    'model.onnx --calibrate batch.npy --keep Conv_0 --keep Gemm_98'
  ],

  async run([path], flags) {
    const calibrate = flags.text('calibrate')
    const made = flags.text('quantised')
    if (made !== undefined) return compareWith(made, path, flags)
    if (calibrate === undefined)
      throw new UsageError(
        '--calibrate is missing; a folder of pictures, a picture, a .npy or a number of scenes is allowed'
      )
    checkQuantising(flags)
    const data = flags.text('evaluate')
    if (data === undefined) flags.refuse(evaluatingNames, 'without --evaluate')
    const { output, report } = placesOf(path, flags)
    const float = await floatModel(path, flags)
    if (float.kind === 'cairn') throw new InputError(`${path} is compiled already; an ONNX model is allowed`)
    const known = await knownOf(float, flags)
    // What is wrong with the data is told before anything is quantised.
    const evaluating =
      data === undefined ? undefined : await openEvaluation({ path, float: await fileOf(float), ...known }, data, flags)
    try {
      const quantised = await quantiseModel(float, calibrate, known.prepare, flags)
      const built = await buildModel(quantised.model)
      const compiled = encode(built.program, built.summary)
      const bytes = /\.onnx$/i.test(output) ? quantised.model.bytes : compiled
      writeWhole(output, bytes)
      const evaluation = await evaluating?.compare(compiled, output)
      if (report !== undefined) writeWhole(report, await pageOf(built, quantised, evaluation))
      const notes = data !== undefined && isSame(calibrate, data) ? [...quantised.notes, sameData] : quantised.notes
      const written = { path, output, report, bytes: bytes.length, onnxBytes: float.bytes.length, evaluation }
      tell(written, { ...quantised, notes }, flags)
    } finally {
      await evaluating?.end()
    }
  }
}

const sameData =
  'measured on the pictures that ranges are of, which flatters int8 a little: others say more (train/ and val/ in one folder are kept apart)'

const isSame = (calibrate: string, data: string) =>
  resolve(calibrate) === resolve(data) && trainingPart(calibrate) === undefined

function placesOf(path: string, flags: Flags): { output: string; report: string | undefined } {
  const output = flags.text('output') ?? path.replace(/\.onnx$/i, '').concat('.int8.cairn')
  if (!['.cairn', '.onnx'].includes(extname(output).toLowerCase()))
    throw new UsageError(`-o ${output}: a name that ends in .cairn or .onnx is allowed`)
  if (resolve(output) === resolve(path)) throw new UsageError(`-o ${output} would overwrite the model`)
  const report = flags.text('report')
  if (report !== undefined && [path, output].some(taken => resolve(taken) === resolve(report)))
    throw new UsageError(`--report ${report} would overwrite the model or what is written`)
  return { output, report }
}

const floatModel = async (path: string, flags: Flags): Promise<ModelFile> =>
  withGiven(await patched(readModel(path), flags.text('patch')), givenOf(flags))

/** How pictures become the model's input and what its classes are called, as flags, a patch or the model say. */
async function knownOf(
  model: ModelFile,
  flags: Flags
): Promise<{ prepare: Preparation; names: readonly string[] | undefined }> {
  const patch = await readPatch(flags.text('patch'))
  return {
    prepare: preparationOf(flags, patch?.preparation),
    names: labelsOf(flags) ?? patch?.classes ?? (await ownClasses(model))
  }
}

/** The page that --report writes. */
async function pageOf(
  built: BuiltModel,
  quantised: QuantisedModel,
  evaluation: Evaluation | undefined
): Promise<string> {
  const { path, bytes } = quantised.model
  const imported = importOf(quantised.model)
  const facts = [...quantisedFacts(quantised), ...(evaluation ? evaluationRows(evaluation) : [])]
  const content = await contentOf(built, { path, bytes, imported }, bindDims(built.program))
  return reportHtml({ ...content, facts, more: sectionsOf(quantised.report) })
}

/** Measures a quantised model that is there already. */
async function compareWith(quantised: string, path: string, flags: Flags): Promise<void> {
  const other = ['calibrate', 'output'].find(name => flags.text(name) !== undefined)
  if (other) throw new UsageError(`--quantised and --${other} exclude each other: nothing is quantised`)
  flags.refuse([...quantisingNames, 'report'], 'with --quantised: nothing is quantised')
  const data = flags.text('evaluate')
  if (data === undefined)
    throw new UsageError('--quantised needs --evaluate DATA: a folder with one folder of images a class')
  const model = await floatModel(path, flags)
  const float = await fileOf(model)
  const int8 = readModel(quantised)
  const file = await fileOf(int8)
  const arithmetic = arithmeticOf((await decodeModel({ ...int8, bytes: file })).header)
  const what = arithmeticText(arithmetic)
  if (arithmetic.stored !== 'i8')
    throw new InputError(`--quantised ${quantised} is a model of floats, weights ${what}; one of 8 bits is allowed`)
  const evaluating = await openEvaluation({ path, float, ...(await knownOf(model, flags)) }, data, flags)
  try {
    const evaluation = await about(quantised, () => evaluating.compare(file, quantised))
    if (flags.has('json'))
      printJson({ model: path, quantised, arithmetic: what, evaluation: evaluationFacts(evaluation) })
    else print(`int8 is ${quantised}: ${what}\n${evaluationText(evaluation)}`)
  } finally {
    await evaluating.end()
  }
}
