// The test runner: every file of the rooms below in a process of its own, two at a time. Arguments choose files by their names or parts of
// them, or a room by `room/`; `--update passes` rewrites the snapshots; `--cpu` runs the part that needs neither a browser nor WebGPU, which
// is what test/project/engines.ts runs on other engines; `--long long` runs at full length. The last line is `N passed, N failed, N skipped`.
import { fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { baseSeed } from './support/random.js'
import { skipped } from './support/skip.js'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const self = fileURLToPath(import.meta.url)
const folder = dirname(self)
/** Folders whose files are tests; what these need lies in folders inside of them, and in support/. */
const rooms = ['onnx', 'compiler', 'ops', 'networks', 'runtime', 'webgpu', 'train', 'cli', 'page', 'bench', 'project']
/** The slow ones start first. */
const longest = [
  'browser-ops',
  'browser',
  'models',
  'zoo',
  'examples',
  'random',
  'ops',
  'binaries',
  'memory',
  'golden',
  'page',
  'page-results',
  'page-train',
  'page-state',
  'page-kept',
  'page-patch',
  'passes',
  'format'
]

/** What `--cpu` leaves out: pages and browsers, WebGPU alone, benchmarks, the sources. In other files it skips cases. */
const roomsBeyondCpu = ['page', 'webgpu', 'bench']
const beyondCpu = ['browser-ops', 'docs', 'examples', 'hosts', 'houserules', 'package', 'train-report']

/** What uvu keeps of a suite: a function that runs it and gives [errors or true, passed, skipped, total]. */
type Suite = () => Promise<[string | true, number, number, number]>
const shared = globalThis as unknown as { UVU_DEFER: number; UVU_QUEUE: Suite[][] }

async function runHere(file: string): Promise<Counts> {
  shared.UVU_DEFER = 1
  shared.UVU_QUEUE = [[]]
  await import(pathToFileURL(file).href)
  let passed = 0
  let failed = 0
  for (const suite of shared.UVU_QUEUE[0]) {
    const [errors, ok, skips, total] = await suite()
    passed += ok
    failed += total - ok
    if (skips) throw new Error('use skip(name, reason): a skipped test prints why')
    if (errors !== true) console.log(`\n${errors}`)
  }
  if (passed + failed + skipped === 0) throw new Error('the file has no tests')
  return { passed, failed, skipped }
}

function runFile(file: string): Promise<Counts> {
  const name = basename(file)
  return new Promise(resolve => {
    const began = Date.now()
    let text = ''
    let counts: Counts | undefined
    const env = { ...process.env, CAIRN_SEED: String(baseSeed), FORCE_COLOR: process.stdout.isTTY ? '1' : '0' }
    const child = fork(self, ['--file', join(folder, `${file}.js`)], { silent: true, env })
    child.stdout!.on('data', data => (text += data))
    child.stderr!.on('data', data => (text += data))
    child.on('message', message => (counts = message as Counts))
    child.on('close', (code, signal) => {
      const died = !counts || (code !== 0 && counts.failed === 0)
      if (died) text += `\n${name} ended early: ${signal ?? `exit code ${code}`}\n`
      counts ??= { passed: 0, failed: 0, skipped: 0 }
      if (died) counts = { ...counts, failed: counts.failed + 1 }
      const seconds = ((Date.now() - began) / 1000).toFixed(1)
      console.log(
        `\n${name} (${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s)`
      )
      console.log(text.trim())
      if (counts.failed) console.log(`repeat with CAIRN_SEED=${baseSeed} node dist/test/run.js ${name}`)
      resolve(counts)
    })
  })
}

async function runAll(files: readonly string[]): Promise<void> {
  const waiting = [...files]
  const total = { passed: 0, failed: 0, skipped: 0 }
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const counts = await runFile(file)
      total.passed += counts.passed
      total.failed += counts.failed
      total.skipped += counts.skipped
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker))
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed || total.passed === 0 ? 1 : 0
}

const args = process.argv.slice(2)
if (args[0] === '--file') {
  const counts = await runHere(args[1])
  // Behind what is still on its way out.
  process.send!(counts, () => process.stdout.write('', () => process.exit(counts.failed ? 1 : 0)))
} else {
  const update = args.indexOf('--update')
  if (update >= 0) process.env.CAIRN_UPDATE = args[update + 1]
  if (args.includes('--cpu')) process.env.CAIRN_CPU = '1'
  if (args.includes('--long')) process.env.CAIRN_LONG ??= '10000'
  const wanted = args.filter(arg => !arg.startsWith('--'))
  const rank = (file: string) => longest.indexOf(basename(file)) + 1 || longest.length + 1
  const all = rooms.flatMap(room =>
    readdirSync(join(folder, room))
      .filter(file => file.endsWith('.js'))
      .map(file => `${room}/${file.slice(0, -3)}`)
  )
  const isWhole = (part: string) => all.some(file => basename(file) === part)
  // A whole name is that file alone: `ops` is not `browser-ops`.
  const isMeant = (file: string) =>
    wanted.some(part =>
      isWhole(part) ? basename(file) === part : (part.endsWith('/') ? file : basename(file)).includes(part)
    )
  const onCpu = (file: string) => !roomsBeyondCpu.includes(dirname(file)) && !beyondCpu.includes(basename(file))
  const files = all
    .filter(file => !process.env.CAIRN_CPU || onCpu(file))
    .filter(file => !wanted.length || isMeant(file))
    .sort((a, b) => rank(a) - rank(b))
  await runAll(files)
}
