import { zoo as entries } from '../models/index.js'
import { writeWhole } from './model/index.js'
import {
  type Command,
  count,
  InputError,
  jsonOption,
  print,
  printJson,
  shape,
  size,
  table,
  UsageError
} from './terminal/index.js'

/** `cairn zoo`: published architectures, as ONNX with seeded random weights. */
export const zoo: Command = {
  name: 'zoo',
  usage: '[name]',
  summary: 'List the architectures of the zoo, or write one as ONNX with seeded weights.',
  options: [
    { flag: '-o, --output', value: 'FILE', help: 'the ONNX file to write; default: NAME.onnx' },
    { flag: '--seed', value: 'S', help: 'seed of the weights (default 1)' },
    { flag: '--batch', value: 'B', help: 'fix the batch size; by default it stays free' },
    jsonOption
  ],
  examples: ['', 'resnet50 -o resnet50.onnx --seed 7'],

  async run([name], flags) {
    if (name === undefined) {
      for (const flag of ['output', 'seed', 'batch'])
        if (flags.text(flag) !== undefined) throw new UsageError(`zoo: --${flag} needs the name of an architecture`)
      const list = Object.entries(entries).map(([key, { build: _, ...entry }]) => ({ name: key, ...entry }))
      if (flags.has('json')) return printJson({ networks: list })
      const rows = list.map(e => [e.name, e.title, e.paper, shape(e.input), count(e.parameters)])
      return print(
        table(['name', 'title', 'paper', 'input', 'parameters'], rows, ['left', 'left', 'left', 'left', 'right'])
      )
    }
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
    if (!entry) throw new InputError(`no architecture "${name}"; ${Object.keys(entries).join(', ')} are allowed`)
    const seed = flags.whole('seed', 0)
    const batch = flags.whole('batch')
    const output = flags.text('output') ?? `${name}.onnx`
    const bytes = entry.build({ seed, batch })
    writeWhole(output, bytes)
    if (flags.has('json'))
      printJson({ name, output, bytes: bytes.length, parameters: entry.parameters, seed: seed ?? 1 })
    else
      print(
        `${entry.title} → ${output}: ${count(entry.parameters)} parameters, ${size(bytes.length)}, seed ${seed ?? 1}`
      )
  }
}
