import { bytesOf } from '../../runtime/base/index.js'
import { magic } from '../../runtime/file/index.js'
import type { Backbone } from './backbone.js'
import { CompiledBackbone } from './compiled.js'
import type { CutOptions } from './network.js'
import { OnnxBackbone } from './onnx-backbone.js'

const isCompiled = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === magic

/** Reads ONNX bytes, or those of a .cairn file, of which only a head can be trained. */
export function openBackbone(given: Uint8Array, options: CutOptions): Backbone {
  const model = bytesOf(given) ?? given
  return isCompiled(model) ? new CompiledBackbone(model) : new OnnxBackbone(model, options)
}
