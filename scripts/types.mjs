// Of the declarations that TypeScript writes, those that the package's entries lead to: others are of no use to anybody.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const imports = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g

const targetsOf = entry => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targetsOf))

const entriesOf = root => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // One-file builds and CommonJS have theirs later, of these.
  const own = targetsOf(exports).filter(target => /\.js$/.test(target) && !/\.min\./.test(target))
  return own.map(target => join(root, target.replace(/\.js$/, '.d.ts')))
}

/**
 * Without its comments, a declaration file that declares nothing of what the entries export, but what that is made of: no editor
 * shows those to anybody. Undefined for the others.
 */
export function withoutComments(root) {
  const whole = new Set()
  const names = new Set()
  const look = path => {
    if (whole.has(path)) return
    whole.add(path)
    const text = readFileSync(path, 'utf8')
    for (const [, from] of text.matchAll(/^export \* from ['"](\.[^'"]+)\.js['"]/gm))
      look(resolve(dirname(path), `${from}.d.ts`))
    for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm))
      for (const name of list.split(','))
        names.add(
          name
            .trim()
            .replace(/^type /, '')
            .split(' ')[0]
        )
  }
  for (const path of entriesOf(root)) look(path)
  return path => {
    const text = readFileSync(path, 'utf8')
    const declared = [
      ...text.matchAll(/^export (?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/gm)
    ]
    if (whole.has(path) || declared.some(([, name]) => names.has(name))) return undefined
    return text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
  }
}

/** The declarations of `root`'s exports, and of what they import; `missing` are those that are not there. */
export function reachedTypes(root) {
  const reached = new Set()
  const missing = []
  const look = path => {
    if (reached.has(path)) return
    reached.add(path)
    if (!existsSync(path)) return void missing.push(path)
    for (const [, asked] of readFileSync(path, 'utf8').matchAll(imports))
      look(resolve(dirname(path), asked.replace(/\.js$/, '.d.ts')))
  }
  for (const path of entriesOf(root)) look(path)
  return { reached, missing }
}
