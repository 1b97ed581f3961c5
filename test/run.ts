// The test runner: every file of the rooms below in a process of its own, but for some that share one; two at a time. Arguments
// choose files by their names or parts of them, or a room by `room/`; `--update FOLDER` rewrites snapshots; `--cpu` runs the part
// that needs neither a browser nor WebGPU, which is what test/project/engines.ts runs on other engines; `--long long` runs at full
// length. What failed is printed once more at the end; the last line is `N passed, N failed, N skipped`.
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
  /** What failed, and how to repeat it. */
  readonly failures: string
}

const self = fileURLToPath(import.meta.url)
const folder = dirname(self)
/** Folders whose files are tests; what these need lies in folders inside of them, and in the two that are none. */
const rooms = readdirSync(folder, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && entry.name !== 'support' && entry.name !== 'fuzz')
  .map(({ name }) => name)
/** The slow ones start first. */
const longest = [
  'ops',
  'browser-ops',
  'browser',
  'models',
  'zoo',
  'examples',
  'lifecycle',
  'batches',
  'random',
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

/**
 * These share one process, and with it one GPU device: where that is SwiftShader, a pipeline takes it a second, and they want
 * the same hundred.
 */
const onEveryBackend = [
  ...['ops', 'opsets', 'counts', 'shapes', 'empty', 'indices', 'patterns', 'random', 'detectors'],
  ...['onnx-official']
]

/** What `--cpu` leaves out: pages and browsers, WebGPU alone, benchmarks, servers, the sources. In other files it skips cases. */
const roomsBeyondCpu = ['browser', 'page', 'webgpu', 'bench', 'serving']
const beyondCpu = ['docs', 'examples', 'hosts', 'houserules', 'lectures', 'package', 'train-report']

/** What uvu keeps of a suite: a function that runs it and gives [errors or true, passed, skipped, total]. */
type Suite = () => Promise<[string | true, number, number, number]>
const shared = globalThis as unknown as { UVU_DEFER: number; UVU_QUEUE: Suite[][] }

/** Letters of a file's failures that are printed again at the end. */
const mostAgain = 4000

async function runHere(file: string): Promise<Counts> {
  const before = skipped
  shared.UVU_QUEUE = [[]]
  await import(pathToFileURL(file).href)
  let passed = 0
  let failed = 0
  let found = ''
  for (const suite of shared.UVU_QUEUE[0]) {
    const [errors, ok, skips, total] = await suite()
    passed += ok
    failed += total - ok
    if (skips) throw new Error('use skip(name, reason): a skipped test prints why')
    if (errors === true) continue
    console.log(`\n${errors}`)
    found += `\n${errors}`
  }
  const repeat = `repeat with CAIRN_SEED=${baseSeed} node dist/test/run.js ${basename(file, '.js')}\n`
  if (failed) console.log(repeat)
  const failures = failed ? `${found.slice(0, mostAgain)}\n${repeat}` : ''
  const counts = { passed, failed, skipped: skipped - before, failures }
  if (passed + failed + counts.skipped === 0) throw new Error('the file has no tests')
  return counts
}

/** What the child does: its files one after the other, the counts of each as a message. */
async function runChild(files: readonly string[]): Promise<void> {
  shared.UVU_DEFER = 1
  let exit = 0
  for (const file of files) {
    const began = Date.now()
    const counts = await runHere(file)
    const { passed, failed, skipped } = counts
    const name = basename(file, '.js')
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    console.log(`${name} (${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s)`)
    await new Promise<void>(sent => process.send!(counts, () => sent()))
    exit ||= Number(failed > 0)
  }
  // Behind what is still on its way out.
  process.stdout.write('', () => process.exit(exit))
}

const sum = (all: readonly Counts[]): Counts => ({
  passed: all.reduce((total, { passed }) => total + passed, 0),
  failed: all.reduce((total, { failed }) => total + failed, 0),
  skipped: all.reduce((total, { skipped }) => total + skipped, 0),
  failures: all.map(({ failures }) => failures).join('')
})

function runFiles(files: readonly string[]): Promise<Counts> {
  return new Promise(resolve => {
    let text = ''
    const counts: Counts[] = []
    const env = { ...process.env, CAIRN_SEED: String(baseSeed), FORCE_COLOR: process.stdout.isTTY ? '1' : '0' }
    const child = fork(self, ['--file', ...files.map(file => join(folder, `${file}.js`))], { silent: true, env })
    child.stdout!.on('data', data => (text += data))
    child.stderr!.on('data', data => (text += data))
    child.on('message', message => counts.push(message as Counts))
    child.on('close', (code, signal) => {
      const died = counts.length < files.length || (code !== 0 && sum(counts).failed === 0)
      if (died) {
        const last = files[Math.min(counts.length, files.length - 1)]
        const left = files.slice(counts.length + 1).map(file => basename(file))
        let failures = `\n${basename(last)} ended early: ${signal ?? `exit code ${code}`}\n`
        if (left.length) failures += `did not run: ${left.join(', ')}\n`
        failures += `repeat with CAIRN_SEED=${baseSeed} node dist/test/run.js ${basename(last)}\n`
        text += failures
        counts.push({ passed: 0, failed: 1 + left.length, skipped: 0, failures })
      }
      console.log(`\n${text.trim()}`)
      resolve(sum(counts))
    })
  })
}

async function runAll(groups: readonly (readonly string[])[]): Promise<void> {
  const waiting = [...groups]
  const all: Counts[] = []
  const worker = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) all.push(await runFiles(group))
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker))
  const { passed, failed, skipped, failures } = sum(all)
  // Once more, where thousands of lines do not hide it.
  if (failed) console.log(`\nWhat failed:\n${failures}`)
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed || passed === 0 ? 1 : 0
}

const args = process.argv.slice(2)
if (args[0] === '--file') await runChild(args.slice(1))
else {
  const update = args.indexOf('--update')
  if (update >= 0) process.env.CAIRN_UPDATE = args[update + 1]
  if (args.includes('--cpu')) process.env.CAIRN_CPU = '1'
  if (args.includes('--long')) process.env.CAIRN_LONG ??= '10000'
  const wanted = args.filter((arg, i) => !arg.startsWith('--') && args[i - 1] !== '--update')
  const rank = (file: string) => longest.indexOf(basename(file)) + 1 || longest.length + 1
  const all = rooms.flatMap(room =>
    readdirSync(join(folder, room))
      .filter(file => file.endsWith('.js'))
      .map(file => `${room}/${file.slice(0, -3)}`)
  )
  // A whole name is that file alone: `ops` is not `browser-ops`.
  const isMeant = (file: string, part: string) =>
    part.includes('/')
      ? file.startsWith(part)
      : all.some(other => basename(other) === part)
        ? basename(file) === part
        : basename(file).includes(part)
  for (const part of wanted)
    if (!all.some(file => isMeant(file, part)))
      throw new Error(`no test is called ${part}; folders are ${rooms.join('/, ')}/`)
  const onCpu = (file: string) => !roomsBeyondCpu.includes(dirname(file)) && !beyondCpu.includes(basename(file))
  const files = all
    .filter(file => !process.env.CAIRN_CPU || onCpu(file))
    .filter(file => !wanted.length || wanted.some(part => isMeant(file, part)))
    .sort((a, b) => rank(a) - rank(b))
  const together = files.filter(file => onEveryBackend.includes(basename(file)))
  const alone = files.filter(file => !together.includes(file)).map(file => [file])
  await runAll(together.length ? [together, ...alone] : alone)
}
