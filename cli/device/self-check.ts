import { InferenceSession, type LayerCheck } from '../../runtime/index.js'
import { about, type ModelFile } from '../model/index.js'
import {
  type Flags,
  InputError,
  longName,
  type Option,
  print,
  printJson,
  short,
  UsageError
} from '../terminal/index.js'
import type { DeviceOptions } from './device.js'

/** `cairn verify` of a compiled file: each layer on this device against the file's golden data. */
export async function selfCheck(
  { path, bytes }: ModelFile,
  options: DeviceOptions,
  flags: Flags,
  comparing: readonly Option[]
): Promise<void> {
  for (const option of comparing) {
    const name = longName(option)
    if (flags.has(name) || flags.all(name).length)
      throw new UsageError(`--${name} is of the comparison with onnxruntime; a .cairn brings its own input and limits`)
  }
  const { session, checked } = await about(path, async () => {
    const session = await InferenceSession.create(bytes, options)
    return { session, checked: await session.verify() }
  })
  const { device, threads, precision, choice } = session
  await session.release()
  const { ok, layers, first, worst } = checked
  if (flags.has('json'))
    printJson({ model: path, device, choice, threads, precision, layers, first, worst, passed: ok })
  else {
    print(`${layers} layers on ${device}${threads > 1 ? `, ${threads} threads` : ''}, activations in ${precision}`)
    if (first) print(`first layer that diverges: ${spoken(first)}`)
    else if (worst) print(`none diverges; closest to its limit is ${spoken(worst)}`)
  }
  if (first) throw new InputError(`${path}: layer "${first.layer}" diverges on ${device}; ${spoken(first)}`)
}

function spoken({ layer, kernel, error, limit }: LayerCheck): string {
  const off = Number.isFinite(error) ? `error ${short(error)} of its norm` : 'other elements are finite than should be'
  return `"${layer}", kernel ${kernel}: ${off}, limit ${short(limit)}`
}
