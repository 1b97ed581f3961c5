import { deviceOptions } from './device/index.js'
import { fileOf, labelsOption, readModel, shaped, shapeOption, shapesOf } from './model/index.js'
import { imageOptions } from './pictures/index.js'
import { evaluatePair, evaluationText } from './quantise/index.js'
import { type Command, jsonOption, print, printJson, UsageError } from './terminal/index.js'

/** `cairn quantise`: what a model in bytes gives away against the one in floats, on labelled pictures. */
export const quantise: Command = {
  name: 'quantise',
  usage: '<model>',
  summary: 'Measure what quantising a model costs: float and int8 side by side on labelled images.',
  options: [
    { flag: '--quantised', value: 'FILE', help: 'the model in int8: a .cairn, or an .onnx with QuantizeLinear' },
    {
      flag: '--evaluate',
      value: 'DATA',
      help: 'one folder of images a class, a .tar of it, or the IDX files of MNIST, as train reads them'
    },
    labelsOption,
    ...imageOptions,
    shapeOption,
    ...deviceOptions,
    jsonOption
  ],
  examples: ['signs.onnx --quantised signs-int8.onnx --evaluate photos --scale 0.00784 --mean 1'],

  async run([path], flags) {
    const data = flags.text('evaluate')
    if (data === undefined)
      throw new UsageError('--evaluate DATA is missing: a folder with one folder of images a class')
    const other = flags.text('quantised')
    if (other === undefined) throw new UsageError('--quantised FILE is missing: the model in int8')
    const float = await fileOf(shaped(readModel(path), shapesOf(flags)))
    const int8 = await fileOf(readModel(other))
    const evaluation = await evaluatePair({ path, float, int8 }, data, flags)
    if (flags.has('json')) {
      const { names: _, matching: _text, ...facts } = evaluation
      return printJson({ model: path, quantised: other, ...facts })
    }
    print(evaluationText(evaluation))
  }
}
