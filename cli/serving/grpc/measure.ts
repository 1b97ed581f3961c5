import type { ServiceDefinition } from '@grpc/grpc-js'
import { ServingError } from '../protocol/index.js'

/** Bytes of a message, and why it was not even decoded. */
export interface Measured {
  readonly bytes: number
  readonly refusal?: ServingError
}

/** Bytes of inputs with typed contents: a boolean of one byte takes eight of them in memory, a long text of its own. */
const mostTyped = 2 ** 23

/** The field `inputs` of ModelInferRequest. */
const inputsField = 5

/** Makes each method remember what its messages were like before they were decoded. */
export function measured(definitions: ServiceDefinition): WeakMap<object, Measured> {
  const seen = new WeakMap<object, Measured>()
  for (const [name, method] of Object.entries(definitions)) {
    const { requestDeserialize } = method
    method.requestDeserialize = bytes => {
      const typed = name === 'ModelInfer' ? lengthOf(bytes, inputsField) : 0
      const refusal =
        typed > mostTyped
          ? new ServingError(
              'large',
              `inputs of ${typed} bytes; up to ${mostTyped}, and more in raw_input_contents, are allowed`
            )
          : undefined
      const message = refusal ? {} : requestDeserialize(bytes)
      seen.set(message, { bytes: bytes.length, refusal })
      return message
    }
  }
  return seen
}

/** Bytes that a field of a protocol buffer has in all, of those that are there; up to where it is none, which its decoder says. */
function lengthOf(bytes: Buffer, field: number): number {
  let [at, sum] = [0, 0]
  const varint = () => {
    let value = 0
    // As its decoder reads it: 32 bits, and what is longer for nothing.
    for (let shift = 0; at < bytes.length; shift += 7) {
      const byte = bytes[at++]
      if (shift < 32) value |= (byte & 127) << shift
      if (byte < 128) break
    }
    return value >>> 0
  }
  while (at < bytes.length) {
    const tag = varint()
    const kind = tag % 8
    if (kind === 0) varint()
    else if (kind === 1) at += 8
    else if (kind === 5) at += 4
    else if (kind === 2) {
      const length = varint()
      // A message may say that it is longer than it is.
      if (Math.floor(tag / 8) === field) sum += Math.max(0, Math.min(length, bytes.length - at))
      at += length
    } else if (kind > 5) return sum
  }
  return sum
}
