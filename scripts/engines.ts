// `npm run test:engines [ENGINE...] [FILE...]`: the part of the test suite that needs neither a browser nor WebGPU, on
// every engine that npm has, one after the other; then a table. Engines are fetched into dist/.cache.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { table } from '../cli/terminal/index.js'
import { type Engine, type EngineName, engineNames, fetchEngine } from '../test/support/host/engines.js'
import { baseSeed } from '../test/support/random.js'
import { root } from '../test/support/root.js'

type Counts = readonly [passed: number, failed: number, skipped: number]

/** What the runner says at the head of each file's output. */
const headLine = /^(\S+) \((\d+) passed, (\d+) failed, (\d+) skipped, [\d.]+ s\)$/gm

/** The counts of each file. */
function runSuite({ program, flags }: Engine, files: readonly string[]): Promise<ReadonlyMap<string, Counts>> {
  const args = [...flags, join(root, 'dist', 'test', 'run.js'), '--cpu', ...files]
  const env = { ...process.env, CAIRN_SEED: String(baseSeed) }
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (part: string) => {
    text += part
    process.stdout.write(part)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      const found = [...text.matchAll(headLine)]
      resolve(new Map(found.map(([, file, ...counts]) => [file, counts.map(Number) as unknown as Counts])))
    })
  })
}

const isEngine = (arg: string): arg is EngineName => (engineNames as string[]).includes(arg)

const args = process.argv.slice(2)
const chosen = args.filter(isEngine)
const engines = (chosen.length ? chosen : engineNames).map(fetchEngine)
const results: ReadonlyMap<string, Counts>[] = []
for (const engine of engines) {
  console.log(`\n== ${engine.name} ${engine.version} (seed ${baseSeed})`)
  results.push(
    await runSuite(
      engine,
      args.filter(arg => !isEngine(arg))
    )
  )
}

const files = [...new Set(results.flatMap(counts => [...counts.keys()]))].sort()
const sums = results.map(counts =>
  [...counts.values()].reduce<Counts>((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]], [0, 0, 0])
)
const cell = (counts: Counts | undefined) => counts?.join(' / ') ?? 'not run'
const rows = files.map(file => [file, ...results.map(counts => cell(counts.get(file)))])
const header = ['passed / failed / skipped', ...engines.map(({ name, version }) => `${name} ${version}`)]
console.log(`\n${table(header, [...rows, ['all', ...sums.map(cell)]], [])}`)
process.exitCode = sums.some(([passed, failed]) => failed || !passed) || results.some(({ size }) => !size) ? 1 : 0
