import { CompileError } from '../errors.js'

/** Where a file lies that an ONNX model at `place`, a path or a URL, names as the `location` of weights: inside its folder. */
export function besides(place: string, location: string): string | URL {
  if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|^\w+:|\0/.test(location))
    throw new CompileError(`external data "${location}" lies outside the model's folder; files inside it are allowed`)
  const page = globalThis.location?.href
  // Without a page that it could be relative to, what has no scheme is a path.
  if (!page && !/^(https?|file):/.test(place)) return place.replace(/[^\\/]*$/, '') + location
  return new URL(location.split('/').map(encodeURIComponent).join('/'), new URL(place, page))
}
