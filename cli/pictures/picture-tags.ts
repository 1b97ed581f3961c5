import { channelsOf, type Picture } from '../../runtime/tensor/index.js'

/** What picture files say beside their pixels: how these are to be turned, as cameras note it in EXIF (CIPA DC-008), and JPEG's colours. */

/** Says of a picture that may be whole why nothing here reads it. */
export class Unread extends Error {}

const latin1 = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))

/** The segments of a JPEG in front of its first scan: marker and contents. */
function* segments(bytes: Uint8Array): Generator<[marker: number, data: Uint8Array]> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]
    if (marker === 0xda) return
    // Bytes of fill may stand in front of a marker.
    if (marker === 0xff) {
      at++
      continue
    }
    const size = (bytes[at + 2] << 8) | bytes[at + 3]
    yield [marker, bytes.subarray(at + 4, at + 2 + size)]
    at += 2 + size
  }
}

/** Whether a JPEG's components are YCbCr or YCCK, where Adobe's marker says it or denies it. */
export function colourTransform(bytes: Uint8Array): boolean | undefined {
  for (const [marker, data] of segments(bytes))
    if (marker === 0xee && latin1(data, 0, 5) === 'Adobe') return data[11] !== 0
  return undefined
}

/** The EXIF data of a picture file, from its byte order on; undefined where it has none. */
function exifIn(bytes: Uint8Array, format: string): Uint8Array | undefined {
  if (format === 'jpeg') {
    for (const [marker, data] of segments(bytes))
      if (marker === 0xe1 && latin1(data, 0, 6) === 'Exif\0\0') return data.subarray(6)
    return undefined
  }
  if (format === 'png')
    return inChunks(bytes, { first: 8, name: 'eXIf', nameAt: 4, sizeAt: 0, little: false, behind: 4 })
  if (format === 'webp')
    return inChunks(bytes, { first: 12, name: 'EXIF', nameAt: 0, sizeAt: 4, little: true, behind: 0 })
  return format === 'tiff' ? bytes : undefined
}

interface Chunks {
  readonly first: number
  readonly name: string
  readonly nameAt: number
  readonly sizeAt: number
  readonly little: boolean
  /** Bytes behind a chunk's data. */
  readonly behind: number
}

/** PNG's and RIFF's chunks. */
function inChunks(bytes: Uint8Array, { first, name, nameAt, sizeAt, little, behind }: Chunks): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = first; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + sizeAt, little)
    const data = at + 8
    if (latin1(bytes, at + nameAt, at + nameAt + 4) === name) {
      const prefixed = latin1(bytes, data, data + 6) === 'Exif\0\0'
      return bytes.subarray(data + (prefixed ? 6 : 0), data + size)
    }
    at = data + size + behind + (little ? size % 2 : 0)
  }
  return undefined
}

const orientationTag = 0x112

/** How the stored pixels are to be seen: 1 to 8 as EXIF counts; 1, which is upright, where nothing else is said. */
export function orientationOf(bytes: Uint8Array, format: string): number {
  if (format === 'avif') return turnOf(bytes)
  const exif = exifIn(bytes, format)
  return exif ? exifOrientation(exif) : 1
}

/** Turns to the left by quarters, and behind them a mirror: top to bottom, left to right, none. */
const turns = [
  [4, 2, 1],
  [5, 7, 8],
  [2, 4, 3],
  [7, 5, 6]
]

/** What AVIF, as HEIF (ISO/IEC 23008-12), says in the properties `irot` and `imir`, and not in EXIF. */
function turnOf(bytes: Uint8Array): number {
  const property = (name: string) => {
    const path = ['meta', 'iprp', 'ipco', name]
    let [from, to] = [0, bytes.length]
    for (const wanted of path) {
      const found = boxIn(bytes, from, to, wanted)
      if (!found) return undefined
      // `meta` has a version and flags in front of its boxes.
      from = found[0] + (wanted === 'meta' ? 4 : 0)
      to = found[1]
    }
    return bytes[from]
  }
  return turns[(property('irot') ?? 0) & 3][(property('imir') ?? 2) & 3] ?? 1
}

/** Where the contents of the first box of that name begin and end. */
function boxIn(bytes: Uint8Array, from: number, to: number, name: string): [number, number] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at)
    if (size < 8) return undefined
    if (latin1(bytes, at + 4, at + 8) === name) return [at + 8, Math.min(at + size, to)]
    at += size
  }
  return undefined
}

function exifOrientation(exif: Uint8Array): number {
  const value = orientationEntry(exif)
  if (!value) return 1
  const orientation = value.view.getUint16(value.at, value.little)
  return orientation >= 1 && orientation <= 8 ? orientation : 1
}

/** Where the orientation stands in EXIF data, or a TIFF file, which is the same. */
function orientationEntry(exif: Uint8Array): { view: DataView; at: number; little: boolean } | undefined {
  if (exif.length < 14) return undefined
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length)
  const little = exif[0] === 0x49
  const directory = view.getUint32(4, little)
  const entries = directory + 2 > exif.length ? 0 : view.getUint16(directory, little)
  for (let at = directory + 2; at + 12 <= Math.min(exif.length, directory + 2 + entries * 12); at += 12)
    if (view.getUint16(at, little) === orientationTag) return { view, at: at + 8, little }
  return undefined
}

/** A copy of a TIFF file that says that it is upright: its decoder refuses others. */
export function uprightTiff(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const entry = orientationEntry(copy)
  entry?.view.setUint16(entry.at, 1, entry.little)
  return copy
}

/** The picture turned and mirrored to what `orientation` says that it shows. */
export function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture
  const { data, width: w, height: h } = picture
  // The stored pixel of the first that is seen, and the steps to its right and lower neighbours.
  const [first, right, down] = [
    [0, 1, w],
    [w - 1, -1, w],
    [w * h - 1, -1, -w],
    [w * (h - 1), 1, -w],
    [0, w, 1],
    [w * (h - 1), -w, 1],
    [w * h - 1, -w, -1],
    [w - 1, w, -1]
  ][orientation - 1]
  const [width, height] = orientation > 4 ? [h, w] : [w, h]
  const channels = channelsOf(picture)
  const turned = new Uint8Array(data.length)
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (first + x * right + y * down) * channels
      for (let c = 0; c < channels; c++) turned[to++] = data[from + c]
    }
  return { data: turned, width, height }
}
