import { bytes } from './bytes.js'
import { dense } from './dense.js'
import { detectors } from './detectors.js'
import { elements } from './elements.js'
import { images } from './images.js'
import type { Rule } from './rule.js'

/** By the names that programs call kernels by; those of training are added to them. */
export const rules: Record<string, Rule> = {
  ...elements,
  ...dense,
  ...images,
  ...detectors,
  ...bytes
}

/** The fields of a rule, spelled out: names and the letters of their types. */
export function fieldsOf({ fields }: Rule): readonly { readonly name: string; readonly letter: string }[] {
  return fields.split(' ').flatMap(text => {
    const [, name, times, letter = 'u'] = /^(\w+?)(?:\*(\d))?(?::(\w))?$/.exec(text)!
    if (!times) return [{ name, letter }]
    return Array.from({ length: Number(times) }, (_, i) => ({ name: name + i, letter }))
  })
}
