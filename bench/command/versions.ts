import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The installed versions of npm packages, by name. */
export function versionsOf(names: readonly string[]): Record<string, string> {
  const require = createRequire(import.meta.url)
  const found = names.map(name => {
    const entry = dirname(require.resolve(name))
    const folder = entry.slice(0, entry.lastIndexOf(name) + name.length)
    return [name, require(join(folder, 'package.json')).version] as const
  })
  return Object.fromEntries(found)
}
