/** Sizes that pictures say they have, read from their headers where what decodes them would take the memory first. */
type Size = readonly [width: number, height: number]

const textAt = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))

/** Of a WebP file; as its container specification (RFC 9649) has them. */
export function webpSize(bytes: Uint8Array): Size | undefined {
  if (bytes.length < 30) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = textAt(bytes, 12)
  if (kind === 'VP8X') return [1 + (view.getUint32(24, true) & 0xffffff), 1 + (view.getUint32(26, true) >>> 8)]
  if (kind === 'VP8 ') return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff]
  const packed = view.getUint32(21, true)
  return kind === 'VP8L' ? [1 + (packed & 0x3fff), 1 + ((packed >>> 14) & 0x3fff)] : undefined
}

/** The largest of the images in an AVIF file: the properties `ispe` of its box `meta` (ISO/IEC 23008-12). */
export function avifSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let largest: Size | undefined
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at)
    // Of 64 bits, or up to the file's end: those hold the pixels.
    if (length < 8) break
    const end = Math.min(at + length, bytes.length)
    if (textAt(bytes, at + 4) === 'meta')
      for (let inner = at + 8; inner + 16 <= end; inner++)
        if (bytes[inner] === 0x69 && textAt(bytes, inner) === 'ispe') {
          const size: Size = [view.getUint32(inner + 8), view.getUint32(inner + 12)]
          if (!largest || size[0] * size[1] > largest[0] * largest[1]) largest = size
        }
    at += length
  }
  return largest
}
