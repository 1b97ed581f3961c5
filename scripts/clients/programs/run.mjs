// In Node: runs a client's program, and prints what it has found behind a mark.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [program, given] = process.argv.slice(2)
const { default: run } = await import(pathToFileURL(program).href)
const found = await run(name => join(given, name))
process.stdout.write(`\n@found ${JSON.stringify(found)}\n`, () => process.exit(0))
