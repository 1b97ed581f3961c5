import { exportsOf } from '../../compiler/standalone/index.js'
import { describePort } from '../model/index.js'
import { count, type Flags, facts, InputError, print, printJson, scaled, size } from '../terminal/index.js'
import { type ModelModule, portsOf } from './module.js'

/** `cairn inspect` of a module: what it says of itself. */
export function inspectModule({ path, bytes, module, metadata }: ModelModule, flags: Flags): void {
  const { name, features, parameters, macs, memory, arena, kernels, golden, digest, dims } = metadata
  const { inputs, outputs } = portsOf(metadata)
  const exported = exportsIn(path, module)
  if (flags.has('json')) {
    printJson({
      ...{ model: path, name, features, inputs: inputs.map(describePort), outputs: outputs.map(describePort), dims },
      ...{ parameters, macs, kernels, memory, arena, digest, exports: exported, file: { bytes: bytes.length } },
      golden: golden && { layers: golden.length },
      ports: { inputs: metadata.inputs, outputs: metadata.outputs }
    })
    return
  }
  const addressed = metadata.inputs.map(({ at, length }) => `${count(length)} elements at ${at}`)
  const given = metadata.outputs.map(({ at, length }) => `${count(length)} elements at ${at}`)
  print(
    facts([
      ['model', `${name}, a WebAssembly ${module === bytes ? 'module' : 'component'} of its own`],
      ...inputs.map((port, i): [string, string] => ['input', `${describePort(port)}, ${addressed[i]}`]),
      ...outputs.map((port, i): [string, string] => ['output', `${describePort(port)}, ${given[i]}`]),
      ['parameters', count(parameters)],
      ['MACs', scaled(macs)],
      [
        'kernels',
        Object.entries(kernels)
          .map(([kernel, times]) => `${kernel} ${times}`)
          .join(', ')
      ],
      ['SIMD', features === 'relaxed' ? 'relaxed' : 'plain'],
      ['memory', `${size(memory)} (${count(memory)} bytes), of it arena ${size(arena)}`],
      ['exports', exported.join(', ')],
      ['golden data', golden ? `${golden.length} layers, for check` : 'none (compile --golden adds it)'],
      ['file', `${count(bytes.length)} bytes, digest ${digest.toString(16).padStart(8, '0')}`]
    ])
  )
}

/** Of modules that this engine does not compile as well. */
function exportsIn(path: string, module: Uint8Array): string[] {
  try {
    return exportsOf(module)
  } catch (error) {
    throw new InputError(`${path}: ${(error as Error).message}; the file is damaged`)
  }
}
