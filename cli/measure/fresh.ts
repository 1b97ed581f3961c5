import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../terminal/index.js'
import type { EngineName, EngineOptions } from './engine.js'
import { feedsFor, modelFor, type Subject } from './subject.js'

/** What a fresh process takes from nothing to its first results, in milliseconds; and its peak of resident memory. */
export interface Fresh {
  /** Importing the runtime. */
  readonly import: number
  /** Reading the model from disk and loading it. */
  readonly load: number
  readonly firstRun: number
  readonly total: number
  readonly peakBytes: number
}

/** What the process (fresh-process.ts) is told; the model and the feeds lie in files of its folder. */
export interface Errand {
  readonly engine: EngineName
  readonly options: EngineOptions
  readonly feeds: readonly { readonly name: string; readonly type: string; readonly dims: readonly number[] }[]
}

export interface FreshRunner {
  /** One cold start in a process of its own. */
  start(): Promise<Fresh>
  release(): void
}

/** Writes the model that `engine` loads to a temporary folder, from which any number of processes may start. */
export function freshRunner(engine: EngineName, subject: Subject, options: EngineOptions): FreshRunner {
  const model = modelFor(engine, subject)
  const feeds = feedsFor(engine, subject)
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'))
  const errand: Errand = { engine, options, feeds: feeds.map(({ name, type, dims }) => ({ name, type, dims })) }
  writeFileSync(join(folder, 'model'), model)
  feeds.forEach(({ data }, i) => {
    const { buffer, byteOffset, byteLength } = data as Float32Array
    writeFileSync(join(folder, `feed${i}`), new Uint8Array(buffer, byteOffset, byteLength))
  })
  writeFileSync(join(folder, 'errand.json'), JSON.stringify(errand))
  const script = fileURLToPath(new URL('./fresh-process.js', import.meta.url))
  return {
    async start() {
      const last = (await output([script, folder])).trim().split('\n').at(-1)!
      return JSON.parse(last)
    },
    release: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** Peak bytes of a Node that imports nothing but the means to read them. */
export async function bareBytes(): Promise<number> {
  return Number(await output([fileURLToPath(new URL('./peak-bytes.js', import.meta.url)), 'print']))
}

function output(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [text, errors] = ['', '']
    child.stdout.on('data', data => (text += data))
    child.stderr.on('data', data => (errors += data))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const why = errors.trim().split('\n').at(-1) || signal || `exit code ${code}`
      if (code === 0) resolve(text)
      else reject(new InputError(`a fresh process failed: ${why}`))
    })
  })
}
