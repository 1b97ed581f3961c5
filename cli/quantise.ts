import { resolve } from 'node:path'
import { encode } from '../runtime/file/index.js'
import {
  buildModel,
  patched,
  patchOption,
  readModel,
  shaped,
  shapeOption,
  shapesOf,
  writeWhole
} from './model/index.js'
import { quantiseModel, quantiseOptions, tell } from './quantise/index.js'
import { type Command, InputError, jsonOption, UsageError } from './terminal/index.js'

/** `cairn quantise`: float ONNX → int8, and what it costs, layer by layer. */
export const quantise: Command = {
  name: 'quantise',
  usage: '<model.onnx>',
  summary: 'Quantise an ONNX model to 8 bits, with what each layer loses.',
  options: [
    {
      flag: '-o, --output',
      value: 'FILE',
      help: "the .cairn file to write, or by its name a QDQ .onnx; default: the model's name with .int8.cairn"
    },
    ...quantiseOptions,
    shapeOption,
    patchOption,
    jsonOption
  ],
  examples: [
    'mobilenet.onnx --calibrate photos/',
    'mobilenet.onnx --calibrate photos/ --int8-budget 0.02 -o mobilenet.qdq.onnx',
    'model.onnx --calibrate batch.npy --keep Conv_0 --keep Gemm_98'
  ],

  async run([path], flags) {
    const calibrate = flags.text('calibrate')
    if (calibrate === undefined)
      throw new UsageError('--calibrate is missing; a folder of pictures, a .npy or a number of scenes is allowed')
    const output = flags.text('output') ?? path.replace(/\.onnx$/i, '').concat('.int8.cairn')
    if (resolve(output) === resolve(path)) throw new UsageError(`-o ${output} would overwrite the model`)
    const float = shaped(await patched(readModel(path), flags.text('patch')), shapesOf(flags))
    if (float.kind === 'cairn') throw new InputError(`${path} is compiled already; an ONNX model is allowed`)
    const quantised = await quantiseModel(float, calibrate, flags)
    const bytes = await fileOf(quantised.model, output)
    writeWhole(output, bytes)
    tell({ path, output, bytes: bytes.length, onnxBytes: float.bytes.length }, quantised, flags)
  }
}

/** The QDQ model as it is, or compiled, by the name of the output. */
async function fileOf(model: Parameters<typeof buildModel>[0], output: string): Promise<Uint8Array> {
  if (/\.onnx$/i.test(output)) return model.bytes
  const { program, summary } = await buildModel(model)
  return encode(program, summary)
}
