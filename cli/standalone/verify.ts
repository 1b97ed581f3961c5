import { type Flags, InputError, print, printJson } from '../terminal/index.js'
import { type ModelModule, started } from './module.js'

/** `cairn verify` of a module: its own check, layer by layer, in this engine. */
export async function verifyModule(module: ModelModule, flags: Flags): Promise<void> {
  const { path, metadata } = module
  const { golden } = metadata
  if (!golden) throw new InputError(`${path} has no golden data; cairn compile --golden adds it`)
  const { exports } = await started(module)
  const found = exports.check!()
  const first = found ? golden[found - 1] : undefined
  if (flags.has('json'))
    printJson({ model: path, device: 'wasm', threads: 1, layers: golden.length, first, passed: !found })
  else if (!found) print(`${golden.length} layers in this engine; none diverges`)
  if (found)
    throw new InputError(`${path}: layer "${first}", the ${found}. of ${golden.length}, is off by more than its limit`)
}
