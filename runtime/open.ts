import { CairnError, findCompiler } from './backend.js'
import { type CairnFile, decode, decodeSource, magic } from './format.js'
import { checkFixed } from './reach/check.js'
import { type Given, isPlace, type SourceOptions, sourceOf } from './source.js'

/** What a file may ask for. */
export interface Limits {
  /** Bytes that the model may take, constants and arena; 4 GiB by default, which is all that WebAssembly can address. */
  readonly maxMemory?: number
  /** Innermost steps of a run, counted from its calls before it is made; 2^48 by default. */
  readonly maxWork?: number
}

/** The file that a session is made from, compiled where it is ONNX, and checked as far as it can be without sizes. */
export async function open(given: Given, options: SourceOptions & Limits): Promise<CairnFile> {
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

async function openAny(given: Given, options: SourceOptions & Limits): Promise<CairnFile> {
  const source = await sourceOf(given, options)
  try {
    const head = await source.head(4)
    options.signal?.throwIfAborted()
    const isCairn = head.length < 4 || new DataView(head.buffer, head.byteOffset).getUint32(0, true) === magic
    if (isCairn) return await decodeSource(source)
    const compile = findCompiler()
    if (!compile)
      throw new CairnError(`${nameOf(given)} is not a .cairn file; to load ONNX import "cairn/compiler" first`)
    const compiled = decode(await compile(await source.all(), { maxMemory: options.maxMemory }))
    await source.close()
    return compiled
  } catch (error) {
    await source.close()
    throw error
  }
}

function nameOf(given: Given): string {
  if (isPlace(given)) return `"${given}"`
  return 'url' in given && given.url ? `"${given.url}"` : 'the model'
}

/** How the file is opened once more: bytes and places can be read again, a response only where it has a URL. */
export function reopening(given: Given, limits: Limits): () => Promise<CairnFile> {
  if (!given || typeof given !== 'object' || isPlace(given) || !('url' in given)) return () => open(given, limits)
  const { url } = given
  return async () => {
    if (!url) throw new CairnError('the response that the model came from cannot be read again')
    return open(url, limits)
  }
}
