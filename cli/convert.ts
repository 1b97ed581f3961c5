import { extname, resolve } from 'node:path'
import { convert as convertModel } from '../compiler/convert/index.js'
import {
  about,
  buildModel,
  describeOutputs,
  describePort,
  givenOf,
  givenOptions,
  importOf,
  modelOf,
  readModel,
  withGiven,
  writeWhole
} from './model/index.js'
import {
  type Command,
  count,
  facts,
  InputError,
  jsonOption,
  print,
  printJson,
  printNotes,
  UsageError
} from './terminal/index.js'

/** `cairn convert`: ONNX → ONNX that says the same otherwise. */
export const convert: Command = {
  name: 'convert',
  usage: '<model.onnx>',
  summary:
    'Write an ONNX model anew: constants computed, external data taken in, fully connected layers as convolutions.',
  options: [
    { flag: '-o, --output', value: 'FILE.onnx', help: 'the ONNX file to write' },
    {
      flag: '--dense-to-conv',
      help: 'make convolutions of fully connected layers, so that a classifier slides over larger pictures and gives maps of classes'
    },
    ...givenOptions,
    jsonOption
  ],
  examples: ['overfeat.onnx --dense-to-conv -o sliding.onnx', 'model.onnx --shape input=Nx3x224x224 -o plain.onnx'],

  async run([path], flags) {
    const output = flags.text('output')
    if (output === undefined) throw new UsageError('convert: -o FILE.onnx is missing')
    if (extname(output).toLowerCase() !== '.onnx')
      throw new UsageError(`-o ${output}: a name that ends in .onnx is allowed`)
    if (resolve(output) === resolve(path)) throw new UsageError(`-o ${output} would overwrite the model`)
    const model = withGiven(readModel(path), givenOf(flags))
    if (model.kind === 'cairn') throw new InputError(`${path} is compiled already; an ONNX model is allowed`)
    const notes: string[] = []
    const bytes = await about(path, () =>
      convertModel(model.bytes, {
        ...importOf(model),
        denseToConv: flags.has('dense-to-conv'),
        onNote: note => notes.push(note)
      })
    )
    const { program } = await buildModel(modelOf(output, bytes))
    writeWhole(output, bytes)
    printNotes(path, notes)
    const ports = { inputs: program.inputs.map(describePort), outputs: describeOutputs(program) }
    const { parameters } = program
    if (flags.has('json')) printJson({ model: path, output, bytes: bytes.length, parameters, ...ports, notes })
    else
      print(
        facts([
          ['inputs', ports.inputs.join(', ')],
          ['outputs', ports.outputs.join(', ')],
          ['parameters', count(parameters)],
          ['file', `${output}, ${count(bytes.length)} bytes (before: ${count(model.bytes.length)})`]
        ])
      )
  }
}
