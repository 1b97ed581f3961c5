/** What is not the same in two results, by its place in them; undefined where nothing is. Texts are equal, numbers close. */
export function difference(found: unknown, usual: unknown, place = 'result'): string | undefined {
  if (typeof usual === 'number' && typeof found === 'number')
    return Math.abs(found - usual) <= closeness * Math.max(1, Math.abs(usual)) ? undefined : differ(place, found, usual)
  if (isBytes(usual) && isBytes(found)) {
    const [own, theirs] = [found, usual].map(({ bytes }) => Buffer.from(bytes, 'base64'))
    if (own.length !== theirs.length) return differ(`size of ${place}`, own.length, theirs.length)
    const at = own.findIndex((byte, i) => Math.abs(byte - theirs[i]) > steps)
    return at < 0 ? undefined : differ(`${place}, byte ${at} of ${theirs.length}`, own[at], theirs[at])
  }
  if (typeof usual !== 'object' || typeof found !== 'object' || !usual || !found)
    return found === usual ? undefined : differ(place, found, usual)
  const [own, theirs] = [Object.keys(found), Object.keys(usual)]
  if (String(own) !== String(theirs)) return differ(`members of ${place}`, own, theirs)
  for (const key of theirs) {
    const inside = difference((found as Any)[key], (usual as Any)[key], `${place}.${key}`)
    if (inside) return inside
  }
  return undefined
}

type Any = Record<string, unknown>

/** Of numbers, relative above 1. */
const closeness = 1e-4
/** Of bytes of masks, as they are rounded. */
const steps = 2

/** A mask. */
interface Bytes {
  readonly bytes: string
}

const isBytes = (value: unknown): value is Bytes => typeof (value as { bytes?: string })?.bytes === 'string'

const differ = (place: string, found: unknown, usual: unknown) =>
  `${place} is ${JSON.stringify(found)?.slice(0, 120)} instead of ${JSON.stringify(usual)?.slice(0, 120)}`
