// Values with typed arrays in them as bytes, for what goes between a test and its page: JSON, then the arrays' contents.
const kinds = {
  Float32Array,
  Float64Array,
  Uint8Array,
  Uint16Array,
  Int8Array,
  Int32Array,
  BigInt64Array,
  BigUint64Array,
  Uint32Array,
  Int16Array
}

interface Packed {
  readonly array: keyof typeof kinds
  readonly at: number
  readonly length: number
}

const aligned = (length: number) => Math.ceil(length / 8) * 8

export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: Uint8Array[] = []
  let size = 0
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, shown) {
    // Not `shown`: a Buffer has been made JSON by then.
    const own = this[key]
    if (!ArrayBuffer.isView(own)) return shown
    const kind = Object.keys(kinds).find(name => own instanceof kinds[name as keyof typeof kinds])
    const { length } = own as Uint8Array
    const packed = { array: kind, at: size, length }
    arrays.push(new Uint8Array(own.buffer, own.byteOffset, own.byteLength))
    size += aligned(own.byteLength)
    return packed
  })
  const json = new TextEncoder().encode(text)
  const first = 8 + aligned(json.length)
  const bytes = new Uint8Array(first + size)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 8)
  let at = first
  for (const array of arrays) {
    bytes.set(array, at)
    at += aligned(array.length)
  }
  return bytes
}

export function unpack<T>(bytes: ArrayBuffer | Uint8Array): T {
  const given = new Uint8Array(bytes as ArrayBuffer)
  const buffer = bytes instanceof ArrayBuffer ? bytes : given.slice().buffer
  const length = new DataView(buffer).getUint32(0, true)
  const first = 8 + aligned(length)
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)), (_, value) => {
    if (typeof value?.array !== 'string') return value
    const { array, at, length } = value as Packed
    return new kinds[array](buffer, first + at, length)
  })
}
