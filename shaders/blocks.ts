import { sources } from './sources.js'

/**
 * The field names of every parameter block, in order: a kernel's own fields, then where each buffer begins. Read off the texts,
 * which have them all, so that a page does not download them twice.
 */
export const blocks = blocksOf(sources)

/** Those that the texts declare. */
export function blocksOf(texts: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  return Object.fromEntries(
    [
      ...Object.values(texts)
        .join('')
        .matchAll(/struct (\w+) ?\{([^}]+)/g)
    ].map(([, name, fields]) => [name, [...fields.matchAll(/(\w+):/g)].map(([, field]) => field)])
  )
}
