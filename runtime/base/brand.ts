/**
 * What users give may be of another realm than this module: a frame's, a vm context's, that of a test runner. `instanceof`
 * fails there; the names that all realms give their values do not.
 */
export const brandOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)

/** Whether it is a view or a buffer. */
export const isBytes = (given: unknown): boolean =>
  ArrayBuffer.isView(given) || /^(Shared)?ArrayBuffer$/.test(brandOf(given))

/** Any view or buffer as its bytes, in place but where memory is shared, which decoders refuse; undefined for what is none. */
export function bytesOf(given: unknown): Uint8Array | undefined {
  const brand = brandOf(given)
  if (brand === 'ArrayBuffer') return new Uint8Array(given as ArrayBuffer)
  if (brand === 'SharedArrayBuffer') return new Uint8Array(given as SharedArrayBuffer).slice()
  if (!ArrayBuffer.isView(given)) return undefined
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  return brandOf(given.buffer) === 'SharedArrayBuffer' ? bytes.slice() : bytes
}
