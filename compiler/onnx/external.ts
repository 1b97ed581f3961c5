import { CompileError } from '../errors.js'
import { externalFiles } from './read.js'

/** Where a file lies that an ONNX model at `place`, a path or a URL, names as the `location` of weights: inside its folder. */
export function besides(place: string, location: string): string | URL {
  if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|^\w+:|\0/.test(location))
    throw new CompileError(`external data "${location}" lies outside the model's folder; files inside it are allowed`)
  const page = globalThis.location?.href
  // Without a page that it could be relative to, what has no scheme is a path.
  if (!page && !/^(https?|file):/.test(place)) return place.replace(/[^\\/]*$/, '') + location
  return new URL(location.split('/').map(encodeURIComponent).join('/'), new URL(place, page))
}

/** All external data of a model, for an importer that does not wait. */
export async function fetchExternal(
  bytes: Uint8Array,
  read: (location: string) => Uint8Array | Promise<Uint8Array>
): Promise<(location: string) => Uint8Array> {
  const known = new Map<string, Uint8Array>()
  for (const location of externalFiles(bytes)) known.set(location, await read(location))
  return location => {
    const found = known.get(location)
    if (found) return found
    throw new CompileError(`external data "${location}" names no file`)
  }
}
