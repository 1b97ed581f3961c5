// `child.js FILE [SHAPES]`: the trial in Node, Bun or Deno, of a module, or of a .cairn with the shapes of its inputs as JSON; prints
// what it found as JSON.
import { readFileSync } from 'node:fs'
import { tried, triedSession } from './standalone/trial.js'

const [file, shapes] = process.argv.slice(2)
const bytes = readFileSync(file)
const found = shapes
  ? await triedSession(await import('../runtime/index.js'), bytes, JSON.parse(shapes))
  : await tried((await import('../runtime/standalone.js')).instantiate, bytes)
console.log(JSON.stringify(found))
