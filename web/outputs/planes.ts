import { planesOf, type RecogniseOne } from './output.js'

/** Maps that are no classes, masks or pictures: heat maps, depths, features. */
export const planes: RecogniseOne = (output, fed) => {
  const found = planesOf(output, fed)
  const [least, most] = [4, 1024]
  if (!found || Math.min(found.height, found.width) < least || found.channels > most) return undefined
  return { kind: 'planes', of: [output.name], planes: found }
}
