// Of the declarations that TypeScript writes, those that the package's entries lead to: others are of no use to anybody.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const imports = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g

const targetsOf = entry => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targetsOf))

/** The declarations of `root`'s exports, and of what they import; `missing` are those that are not there. */
export function reachedTypes(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const reached = new Set()
  const missing = []
  const look = path => {
    if (reached.has(path)) return
    reached.add(path)
    if (!existsSync(path)) return void missing.push(path)
    for (const [, asked] of readFileSync(path, 'utf8').matchAll(imports))
      look(resolve(dirname(path), asked.replace(/\.js$/, '.d.ts')))
  }
  // One-file builds and CommonJS have theirs later, of these.
  const own = targetsOf(exports).filter(target => /\.js$/.test(target) && !/\.min\./.test(target))
  for (const target of own) look(join(root, target.replace(/\.js$/, '.d.ts')))
  return { reached, missing }
}
