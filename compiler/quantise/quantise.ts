import { CompileError } from '../errors.js'
import { emitOnnx } from '../onnx/index.js'
import { calibrate } from './calibrate.js'
import { insertQuantisation } from './insert.js'
import type { QuantiseOptions } from './options.js'
import { planOf } from './plan.js'
import { prepared } from './prepare.js'
import { chooseRange, scaleOfRange } from './ranges.js'
import type { Feed } from './session.js'

export async function quantise(bytes: Uint8Array, options: QuantiseOptions = {}): Promise<Uint8Array> {
  const graph = prepared(bytes, options as never)
  const plan = planOf(graph, new Set(options.keep))
  if (!plan.layers.length) throw new CompileError('nothing to quantise')
  const observed = await calibrate(graph, bytes, plan, options.calibrate as Iterable<Feed>, () => undefined)
  const scales = new Map([...observed].map(([value, { histogram }]) => [value, scaleOfRange(chooseRange(histogram))]))
  const means = new Map([...observed].map(([value, each]) => [value, each.means]))
  insertQuantisation(graph, plan, { scales, means })
  return emitOnnx(graph, bytes)
}
