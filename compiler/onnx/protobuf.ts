/**
 * Fields that a schema does not know, of messages that it has decoded without a fault: the contents of all that carry
 * `field` and have a length (protobuf's encoding: a key of field number and wire type, then the value).
 */
export function bytesOf(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at++]
      value += (byte & 127) * scale
      if (byte < 128) break
    }
    return value
  }
  while (at < message.length) {
    const key = varint()
    const wire = key % 8
    if (wire === 0) varint()
    else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else if (wire === 2) {
      const length = varint()
      if (Math.floor(key / 8) === field) found.push(message.subarray(at, at + length))
      at += length
    } else throw new Error(`wire type ${wire}`)
  }
  return found
}
