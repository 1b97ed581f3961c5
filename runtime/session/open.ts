import { type ExternalData, findCompiler } from '../backend/index.js'
import { CairnError, standIn, telling } from '../base/index.js'
import { checkFixed } from '../check/index.js'
import {
  type CairnFile,
  decode,
  decodeSource,
  type Given,
  isPlace,
  magic,
  type SourceOptions,
  sourceOf
} from '../file/index.js'

/** What a file may ask for. */
export interface Limits {
  /** Bytes that the model may take, constants and arena; 4 GiB by default, which is all that WebAssembly can address. */
  readonly maxMemory?: number
  /** Innermost steps of a run, counted from its calls before it is made; 2^48 by default. */
  readonly maxWork?: number
}

export interface Opening extends SourceOptions, Limits {
  /** Weights that ONNX keeps in other files, by the location that it names; by default what lies beside the model. */
  readonly externalData?: ExternalData
  /** Where a model of bytes is from, a path or a URL. */
  readonly place?: string
}

/** The file that a session is made from, compiled where it is ONNX, and checked as far as it can be without sizes. */
export async function open(given: Given, options: Opening): Promise<CairnFile> {
  for (const name of ['maxMemory', 'maxWork'] as const) {
    const limit = options[name]
    if (limit !== undefined && !(typeof limit === 'number' && limit > 0))
      throw new CairnError(`${name} ${limit}; a number above 0 is allowed`)
  }
  const file = await openAny(given, options)
  try {
    checkFixed(file.header, options.maxWork)
    return file
  } catch (error) {
    await file.source.close()
    throw error
  }
}

async function openAny(given: Given, options: Opening): Promise<CairnFile> {
  const source = await sourceOf(given, options)
  try {
    const head = await source.head(telling)
    options.signal?.throwIfAborted()
    const isCairn = head.length < 4 || new DataView(head.buffer, head.byteOffset).getUint32(0, true) === magic
    if (isCairn) return await decodeSource(source)
    const compile = findCompiler()
    if (!compile) {
      const what = standIn(head)
      const why = what ? ` but ${what}` : '; to load ONNX import "cairnjs/compiler" first'
      throw new CairnError(`${nameOf(given)} is not a .cairn file${why}`)
    }
    const { maxMemory, externalData, place = placeOf(given) } = options
    const read = async (file: string | URL) => {
      const other = await sourceOf(file, { signal: options.signal })
      return other.all().finally(() => other.close())
    }
    const compiled = decode(await compile(await source.all(), { maxMemory, externalData, place, read }))
    await source.close()
    return compiled
  } catch (error) {
    await source.close()
    throw error
  }
}

export function placeOf(given: Given): string | undefined {
  if (typeof given === 'string' || 'href' in given) return `${given}`
  return 'url' in given && given.url ? given.url : undefined
}

function nameOf(given: Given): string {
  const place = placeOf(given)
  return place ? `"${place}"` : 'the model'
}

/** How the file is opened once more: bytes and places can be read again, a response only where it has a URL. */
export function reopening(given: Given, options: Opening): () => Promise<CairnFile> {
  if (!given || typeof given !== 'object' || isPlace(given) || !('url' in given)) return () => open(given, options)
  const { url } = given
  return async () => {
    if (!url) throw new CairnError('the response that the model came from cannot be read again')
    return open(url, options)
  }
}
