import { CairnError } from './backend.js'
import { type Given, isPath, type SourceOptions, sourceOf } from './source.js'

/** Contents of a file of weights by the location that an ONNX model names, which is relative to the model's own place. */
export type ExternalData = (location: string) => Uint8Array | Promise<Uint8Array>

/** Reads what lies beside a model that came from a path or a URL; undefined where there is no such place. */
export function dataBeside(given: Given, options: Pick<SourceOptions, 'signal'>): ExternalData | undefined {
  const place = placeOf(given)
  if (!place || /^(data|blob):/.test(place)) return undefined
  return async location => {
    if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|^\w+:|\0/.test(location))
      throw new CairnError(`external data "${location}" lies outside the model's folder; files inside it are allowed`)
    const source = await sourceOf(besides(place, location), options)
    return source.all().finally(() => source.close())
  }
}

function placeOf(given: Given): string | undefined {
  if (typeof given === 'string') return given
  if ('href' in given) return given.href
  return 'url' in given ? given.url : undefined
}

function besides(place: string, location: string): string | URL {
  if (isPath(place)) return place.replace(/[^\\/]*$/, '') + location
  const encoded = location.split('/').map(encodeURIComponent).join('/')
  return new URL(encoded, new URL(place, globalThis.location?.href))
}
