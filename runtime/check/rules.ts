import { bytes } from './bytes.js'
import { dense } from './dense.js'
import { detectors } from './detectors.js'
import { elements } from './elements.js'
import { images } from './images.js'
import type { Rule } from './rule.js'
import { training } from './training.js'

/** By the names that programs call kernels by. */
export const rules: Readonly<Record<string, Rule>> = {
  ...elements,
  ...dense,
  ...images,
  ...detectors,
  ...bytes,
  ...training
}

/** The fields of a rule, spelled out: names and the letters of their types. */
export function fieldsOf({ fields }: Rule): readonly { readonly name: string; readonly letter: string }[] {
  return fields.split(' ').flatMap(text => {
    const [, name, times, letter = 'u'] = /^(\w+?)(?:\*(\d))?(?::(\w))?$/.exec(text)!
    if (!times) return [{ name, letter }]
    return Array.from({ length: Number(times) }, (_, i) => ({ name: name + i, letter }))
  })
}
