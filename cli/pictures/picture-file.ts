import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { kindOf } from '../../compiler/onnx/index.js'
import type { Picture } from '../../runtime/tensor/index.js'
import { readBytes, readFirst } from '../model/index.js'
import { InputError } from '../terminal/index.js'
import { avifSize, webpSize } from './claimed.js'
import { colourTransform, orientationOf, Unread, upright } from './picture-tags.js'

/**
 * Picture files as browsers read them: told by their contents, whatever their names say, and turned upright as EXIF says.
 * What decodes a format is loaded when a file of it is read.
 */
export type ReadPicture = (path: string) => Picture

/** From a file's bytes to its pixels as they are stored. */
type Decode = (bytes: Uint8Array, most: number) => Picture

/** Pixels of a picture; what claims more is damaged, or no picture to classify. */
const mostPixels = 2e8

const decoders: Readonly<Record<string, () => Promise<Decode>>> = {
  jpeg: async () => {
    const { default: jpeg } = await import('jpeg-js')
    return (bytes, most) =>
      jpeg.decode(bytes, {
        useTArray: true,
        formatAsRGBA: false,
        colorTransform: colourTransform(bytes),
        maxResolutionInMP: most / 1e6,
        maxMemoryUsageInMB: 2048
      })
  },
  png: async () => {
    const { decodePng } = await import('./png.js')
    return (bytes, most) => decodePng(bytes, (width, height) => sized(width, height, most))
  },
  bmp: async () => {
    const { decode } = await import('bmp-ts')
    return (bytes, most) => {
      const claimed = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      if (claimed.getUint32(14, true) >= 40)
        sized(Math.abs(claimed.getInt32(18, true)), Math.abs(claimed.getInt32(22, true)), most)
      const { data, width, height } = decode(Buffer.from(withoutGap(bytes)))
      return rgbOfAbgr({ data, width, height })
    }
  },
  gif: async () => {
    const { default: omggif } = await import('omggif')
    return (bytes, most) => {
      const reader = new omggif.GifReader(Buffer.from(bytes))
      const { width, height } = reader
      const data = new Uint8Array(sized(width, height, most) * 4)
      reader.decodeAndBlitFrameRGBA(0, data)
      return { data, width, height }
    }
  },
  tiff: async () => {
    const { decodeTiff } = await import('./tiff.js')
    return (bytes, most) => decodeTiff(bytes, (width, height) => sized(width, height, most))
  },
  webp: async () => {
    const { default: codec } = await import('@jsquash/webp/codec/dec/webp_dec.js')
    const { decode } = await codec(emscripten('@jsquash/webp/codec/dec/webp_dec.wasm'))
    return (bytes, most) => {
      sized(...(webpSize(bytes) ?? damaged()), most)
      return decode(bytes as Uint8Array<ArrayBuffer>) ?? damaged()
    }
  },
  avif: async () => {
    const { default: codec } = await import('@jsquash/avif/codec/dec/avif_dec.js')
    const { decode } = await codec(emscripten('@jsquash/avif/codec/dec/avif_dec.wasm'))
    return (bytes, most) => {
      sized(...(avifSize(bytes) ?? damaged()), most)
      return decode(bytes as Uint8Array<ArrayBuffer>, 8) ?? damaged()
    }
  }
}

const formats = 'JPEG, PNG, WebP, AVIF, GIF, TIFF and BMP'
const loaded = new Map<string, Decode | string>()

/** Why the file at `path` cannot be read as a picture, without looking at more than its beginning; undefined where it may be. */
export const refusalOf = (path: string): Promise<string | undefined> => refusalOfBytes(beginningOf(path), path)

async function refusalOfBytes(bytes: Uint8Array, path: string): Promise<string | undefined> {
  const found = kindOf(bytes)
  const decoder = decoders[found?.name ?? '']
  if (!decoder) return found?.what ?? `of no known format (${extname(path) || 'no extension'})`
  const { name } = found!
  if (!loaded.has(name)) loaded.set(name, await decoder().catch(error => missing(name, error)))
  const ready = loaded.get(name)!
  return typeof ready === 'string' ? `${found!.what}; ${ready}` : undefined
}

/** What reads pictures of the formats that `paths` have; throws InputError for the first that is none. */
export async function pictureReader(paths: readonly string[]): Promise<ReadPicture> {
  for (const path of paths) {
    const refusal = await refusalOf(path)
    if (refusal !== undefined) throw new InputError(`${path} is ${refusal}; ${formats} pictures are allowed`)
  }
  return readPicture
}

/** Reads a picture of a format that `refusalOf` has met. */
export const readPicture = (path: string): Picture => decoded(readBytes(path, 'image'), path)

/** The picture that `bytes` are; throws InputError, which names `path`, for what is none. */
export async function pictureOf(bytes: Uint8Array, path: string, most = mostPixels): Promise<Picture> {
  const refusal = await refusalOfBytes(bytes.subarray(0, 512), path)
  if (refusal !== undefined) throw new InputError(`${path} is ${refusal}; ${formats} pictures are allowed`)
  return decoded(bytes, path, most)
}

function decoded(bytes: Uint8Array, path: string, most = mostPixels): Picture {
  const found = kindOf(bytes)
  const decode = loaded.get(found?.name ?? '')
  if (typeof decode !== 'function') throw new InputError(`${path}: no picture; ${formats} are allowed`)
  try {
    const { data, width, height } = decode(bytes, most)
    if (sized(width, height, most) * 3 > data.length) damaged()
    return upright({ data, width, height }, orientationOf(bytes, found!.name))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new InputError(error instanceof Unread ? `${path}: ${message}` : `${path}: damaged image (${message})`)
  }
}

function sized(width: number, height: number, most: number): number {
  if (width > 0 && height > 0 && width * height <= most) return width * height
  throw new Unread(`${width}×${height} pixels; up to ${most / 1e6} million are allowed`)
}

const damaged = (): never => {
  throw new Error('it cannot be decoded')
}

function rgbOfAbgr({ data, width, height }: Picture): Picture {
  const rgb = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3)
    [rgb[to], rgb[to + 1], rgb[to + 2]] = [data[from + 3], data[from + 2], data[from + 1]]
  return { data: rgb, width, height }
}

/** A BMP whose pixels follow its header and palette at once, where the decoder looks for them. */
function withoutGap(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [pixels, header, colours] = [view.getUint32(10, true), view.getUint32(14, true), view.getUint32(46, true)]
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)]
  const masks = header === 40 && compression === 3 ? 12 : header === 40 && compression === 6 ? 16 : 0
  const palette = bits <= 8 || colours ? (colours || 2 ** bits) * 4 : 0
  const looked = 14 + header + masks + palette
  if (pixels <= looked) return bytes
  return Buffer.concat([bytes.subarray(0, looked), bytes.subarray(pixels)])
}

/** A module's WebAssembly from its package's folder, made at once: nothing waits while nothing else is alive. */
function emscripten(wasm: string): object {
  const module = new WebAssembly.Module(
    readBytes(createRequire(import.meta.url).resolve(wasm)) as Uint8Array<ArrayBuffer>
  )
  return {
    noInitialRun: true,
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(module, imports)
      done(instance)
      return instance.exports
    }
  }
}

function missing(name: string, error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND')
    return `npm i @jsquash/${name} lets cairn read it`
  throw error
}

/** The bytes that tell what a file is. */
export const beginningOf = (path: string): Uint8Array => readFirst(path, 512, 'image')
