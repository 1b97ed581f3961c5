import { bytesOf, CairnError, digest } from '../base/index.js'
import { type Codec, Cursor, int, list, struct, text, Writer } from '../file/index.js'

/**
 * Named tensors with a note, for what training keeps: head patches and checkpoints. Four bytes `CRNT`, version, digest of
 * the rest; then the kind, the note as JSON, and the tensors as little-endian floats (docs/format.md).
 */
export interface Bundle {
  readonly kind: 'patch' | 'checkpoint'
  readonly note: string
  readonly tensors: readonly NamedTensor[]
}

export interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const magic = 'CRNT'
const version = 1
const preamble = 12

const floats: Codec<Float32Array> = {
  write(w, data) {
    int.write(w, data.length)
    w.append(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  },
  read: r => new Float32Array(r.take(int.read(r) * 4).slice().buffer)
}

const kind: Codec<Bundle['kind']> = {
  write: (w, value) => text.write(w, value),
  read: r => text.read(r) as Bundle['kind']
}

const bundle = struct<Bundle>({
  kind,
  note: text,
  tensors: list(struct<NamedTensor>({ name: text, shape: list(int), data: floats }))
})

export function encodeBundle(value: Bundle): Uint8Array {
  const writer = new Writer()
  bundle.write(writer, value)
  const body = writer.finish()
  const bytes = new Uint8Array(preamble + body.length)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode(magic))
  view.setUint32(4, version, true)
  view.setUint32(8, digest(body), true)
  bytes.set(body, preamble)
  return bytes
}

/** Throws CairnError for what is damaged, or of another kind. */
export function decodeBundle(given: Uint8Array, wanted: Bundle['kind']): Bundle {
  const bytes = bytesOf(given)
  if (!bytes) throw new CairnError(`a ${wanted} is given as its bytes; a Uint8Array and an ArrayBuffer are allowed`)
  if (bytes.length < preamble || new TextDecoder().decode(bytes.subarray(0, 4)) !== magic)
    throw new CairnError(`not a ${wanted}: it does not begin with ${magic}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found = view.getUint32(4, true)
  if (found !== version) throw new CairnError(`the ${wanted} has version ${found}; version ${version} is read`)
  const body = bytes.slice(preamble)
  if (digest(body) !== view.getUint32(8, true))
    throw new CairnError(`the ${wanted} is damaged: its digest does not match`)
  try {
    const value = bundle.read(new Cursor(body))
    if (value.kind !== wanted) throw new Error(`it is a ${value.kind}`)
    if (!value.tensors.every(isWhole)) throw new Error('a tensor does not hold what its shape says')
    return value
  } catch (error) {
    throw new CairnError(`not a ${wanted}: ${(error as Error).message}`)
  }
}

const isWhole = ({ shape, data }: NamedTensor) => shape.reduce((a, b) => a * b, 1) === data.length
