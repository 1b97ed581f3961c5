// `child.js FILE`: the trial in Node, Bun or Deno; prints what it found as JSON.
import { readFileSync } from 'node:fs'
import { instantiate } from '../runtime/standalone.js'
import { tried } from './standalone/trial.js'

console.log(JSON.stringify(await tried(instantiate, readFileSync(process.argv[2]))))
