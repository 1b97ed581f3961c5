// `npm run test:clients [NAME...]`: published programs on onnxruntime, installed from npm twice, as they are and with an override
// that puts this package in onnxruntime's place; both give the same. What is installed stays in a folder (CAIRN_CLIENTS).
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { table } from '../cli/terminal/index.js'
import { browser, withoutChromium } from '../test/support/browser/chromium.js'
import { difference } from './clients/alike.js'
import { give } from './clients/given.js'
import { cache, install, type Packed, pack } from './clients/install.js'
import { type Client, clients } from './clients/list.js'
import { inPage } from './clients/pages.js'

const call = promisify(execFile)
const given = join(cache, 'given')

/** Whether Cairn has run, and what the client has found. */
async function run(project: string, client: Client): Promise<{ found: unknown; own: boolean }> {
  if (client.page) return inPage(project, client.program, given)
  const kept = mkdtempSync(join(tmpdir(), 'cairn-kept-'))
  try {
    const [script, program] = ['run', client.program].map(name => join(project, 'client', `${name}.mjs`))
    const env = { ...process.env, XDG_CACHE_HOME: kept, LOCALAPPDATA: kept }
    const options = { cwd: project, env, maxBuffer: 1 << 28, timeout: 300_000 }
    const { stdout } = await call(process.execPath, [script, program, given], options)
    const text = stdout.split('\n@found ')[1]
    if (text === undefined) throw new Error('it ended without a result')
    const folder = join(kept, 'cairnjs')
    return { found: JSON.parse(text), own: existsSync(folder) && readdirSync(folder).length > 0 }
  } finally {
    rmSync(kept, { recursive: true, force: true })
  }
}

/** What went wrong, if anything. */
async function trial(name: string, client: Client, packed: Packed): Promise<string | undefined> {
  const usual = await run(await install(name, client), client)
  if (usual.own) throw new Error('Cairn ran where onnxruntime should')
  const { found, own } = await run(await install(name, client, packed), client)
  if (!own) throw new Error('Cairn did not run')
  return difference(found, usual.found)
}

/** The line of what a program said before it ended that says why. */
function telling(error: unknown): string {
  const { message } = error as Error
  const lines = message.split('\n').map(line => line.trim())
  return lines.find(line => /^(\w*Error: |npm error )/.test(line)) ?? lines.slice(0, 3).join('; ')
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !clients[name])
if (unknown.length) throw new Error(`no client "${unknown[0]}"; there are ${Object.keys(clients).join(', ')}`)
const noBrowser = await withoutChromium()
give(given)
const packed = await pack()
const rows: string[][] = []
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const [name, client] of Object.entries(clients)) {
  if (wanted.length && !wanted.includes(name)) continue
  let said: string
  if (client.page && noBrowser) {
    counts.skipped++
    said = `skipped: ${noBrowser}`
  } else
    try {
      const different = await trial(name, client, packed)
      counts[different ? 'failed' : 'passed']++
      said = different ?? 'the usual result'
    } catch (error) {
      const text = telling(error)
      const away = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(text)
      counts[away ? 'skipped' : 'failed']++
      said = away ? `skipped: npm is not reachable (${text})` : text
    }
  rows.push([name, said])
  console.error(rows.at(-1)!.join(': '))
}
console.log(`\n${table(['client', 'with Cairn in the place of onnxruntime'], rows, ['left', 'left'])}\n`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
if (!noBrowser) await (await browser()).close()
process.exitCode = counts.failed ? 1 : 0
