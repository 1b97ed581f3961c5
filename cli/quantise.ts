import { resolve } from 'node:path'
import {
  fileOf,
  type ModelFile,
  patched,
  patchOption,
  readModel,
  shaped,
  shapeOption,
  shapesOf,
  writeWhole
} from './model/index.js'
import {
  evaluateOptions,
  evaluatePair,
  evaluationFacts,
  evaluationText,
  quantiseModel,
  quantiseOptions,
  tell
} from './quantise/index.js'
import { type Command, type Flags, InputError, jsonOption, print, printJson, UsageError } from './terminal/index.js'

/** `cairn quantise`: float ONNX → int8, and what it costs, layer by layer and on labelled pictures. */
export const quantise: Command = {
  name: 'quantise',
  usage: '<model.onnx>',
  summary: 'Quantise an ONNX model to 8 bits, with what each layer loses and what that costs on labelled images.',
  options: [
    {
      flag: '-o, --output',
      value: 'FILE',
      help: "the .cairn file to write, or by its name a QDQ .onnx; default: the model's name with .int8.cairn"
    },
    ...quantiseOptions,
    ...evaluateOptions,
    shapeOption,
    patchOption,
    jsonOption
  ],
  examples: [
    'mobilenet.onnx --calibrate photos/',
    'mobilenet.onnx --calibrate photos/ --int8-budget 0.02 -o mobilenet.qdq.onnx',
    'signs.onnx --calibrate photos/ --evaluate photos/',
    'model.onnx --calibrate batch.npy --keep Conv_0 --keep Gemm_98'
  ],

  async run([path], flags) {
    const calibrate = flags.text('calibrate')
    const made = flags.text('quantised')
    if (made !== undefined) return compareWith(made, path, flags)
    if (calibrate === undefined)
      throw new UsageError('--calibrate is missing; a folder of pictures, a .npy or a number of scenes is allowed')
    const output = flags.text('output') ?? path.replace(/\.onnx$/i, '').concat('.int8.cairn')
    if (resolve(output) === resolve(path)) throw new UsageError(`-o ${output} would overwrite the model`)
    const float = await floatModel(path, flags)
    if (float.kind === 'cairn') throw new InputError(`${path} is compiled already; an ONNX model is allowed`)
    const quantised = await quantiseModel(float, calibrate, flags)
    const compiled = await fileOf(quantised.model)
    const bytes = /\.onnx$/i.test(output) ? quantised.model.bytes : compiled
    writeWhole(output, bytes)
    const data = flags.text('evaluate')
    const pair = data !== undefined && { path, float: await fileOf(float), int8: compiled }
    const evaluation = pair ? await evaluatePair(pair, data, flags) : undefined
    tell({ path, output, bytes: bytes.length, onnxBytes: float.bytes.length, evaluation }, quantised, flags)
  }
}

const floatModel = async (path: string, flags: Flags): Promise<ModelFile> =>
  shaped(await patched(readModel(path), flags.text('patch')), shapesOf(flags))

/** Measures a quantised model that is there already. */
async function compareWith(quantised: string, path: string, flags: Flags): Promise<void> {
  const other = ['calibrate', 'output'].find(name => flags.text(name) !== undefined)
  if (other) throw new UsageError(`--quantised and --${other} exclude each other: nothing is quantised`)
  const data = flags.text('evaluate')
  if (data === undefined)
    throw new UsageError('--quantised needs --evaluate DATA: a folder with one folder of images a class')
  const [float, int8] = [await fileOf(await floatModel(path, flags)), await fileOf(readModel(quantised))]
  const evaluation = await evaluatePair({ path, float, int8 }, data, flags)
  if (flags.has('json')) printJson({ model: path, quantised, evaluation: evaluationFacts(evaluation) })
  else print(evaluationText(evaluation))
}
