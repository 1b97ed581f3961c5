// `npm run test:standalone [plain|relaxed] [NAME...]`: every network of the zoo up to 30 million parameters, and every model of
// ../shared/models, as a module of its own: the same bits as its session's, and how many bytes more than its weights.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { count, oneLine, table } from '../cli/terminal/index.js'
import { zoo } from '../models/index.js'
import { baseSeed, Random } from '../test/support/random.js'
import { root } from '../test/support/root.js'
import { trialOf } from '../test/support/standalone/trial.js'

const most = 30e6
/** Bytes that a module may have more than its weights. */
const allowed = 30 * 1024

const features = process.argv.includes('relaxed') ? 'relaxed' : 'plain'
const wanted = process.argv.slice(2).filter(name => name !== 'plain' && name !== 'relaxed')
const folder = join(root, '..', 'shared', 'models')
const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.onnx')) : []
const models = new Map<string, () => Uint8Array>([
  ...Object.entries(zoo)
    .filter(([, { parameters }]) => parameters <= most)
    .map(([name, { build }]) => [name, () => build()] as const),
  ...files.map(name => [basename(name, '.onnx'), () => readFileSync(join(folder, name))] as const)
])

const rows: string[][] = []
let failed = 0
let larger = 0
for (const [name, read] of models) {
  if (wanted.length && !wanted.includes(name)) continue
  try {
    const { bytes, weights, differs, metadata, code } = await trialOf(read(), new Random(name), features)
    const more = bytes.length - weights
    if (differs !== undefined) failed++
    if (more > allowed) larger++
    const bits = differs === undefined ? 'same' : `"${differs}" differs`
    const size = `${count(more)}${more > allowed ? ' (more than allowed)' : ''}`
    const at = Object.entries(metadata.dims).map(([dim, value]) => `${dim}=${value}`)
    rows.push([name, at.join(' '), bits, count(bytes.length), count(weights), size, count(code)])
  } catch (error) {
    failed++
    rows.push([name, '', oneLine(error), '', '', '', ''])
  }
  console.error(rows.at(-1)!.join('  '))
}
const header = ['model', 'sizes', 'bits', 'bytes', 'weights', 'bytes above weights', 'code, gzipped']
console.log(`\n${table(header, rows, ['left', 'left', 'left', 'right', 'right', 'right', 'right'])}`)
console.log(
  `\nseed ${baseSeed}, ${features} SIMD: ${rows.length} models, ${failed} failed, ${larger} above weights + 30 KiB`
)
process.exitCode = failed ? 1 : 0
