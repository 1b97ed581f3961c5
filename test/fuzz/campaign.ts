// Tries many spoilt files in processes of their own and counts what became of them.
import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../support/root.js'
import type { Answer, Order } from './child.js'
import { spoiltFile } from './files.js'
import type { Kind } from './seeds.js'

/** Milliseconds after which a file hangs, and bytes that a process may come to: a gigabyte above what it needs itself. */
const patience = 60_000
const mostMemory = 1.25 * 2 ** 30
/** Files that one process tries: its peak of memory is that of all of them. */
const perProcess = 400

export interface Failure {
  readonly kind: Kind
  readonly number: number
  readonly what: string
}

export interface Campaign {
  readonly tried: Readonly<Record<string, number>>
  /** By outcome and reason without names and numbers. */
  readonly reasons: ReadonlyMap<string, number>
  readonly failures: readonly Failure[]
}

export interface Plan {
  readonly kind: Kind
  readonly seed: number
  readonly first?: number
  readonly files: number
  readonly minutes?: number
  /** Called after each file with how many have been tried. */
  readonly onFile?: (tried: number) => void
  readonly onFailure?: (failure: Failure) => void
}

export async function campaign({
  kind,
  seed,
  first = 0,
  files,
  minutes = Number.POSITIVE_INFINITY,
  onFile,
  onFailure
}: Plan): Promise<Campaign> {
  const tried: Record<string, number> = {}
  const reasons = new Map<string, number>()
  const failures: Failure[] = []
  const end = Date.now() + minutes * 60_000
  let done = 0
  const fail = (number: number, what: string) => {
    const failure = { kind, number, what }
    failures.push(failure)
    tried.failed = (tried.failed ?? 0) + 1
    onFailure?.(failure)
  }
  while (done < files && Date.now() < end) {
    const from = first + done
    const order = { kind, seed, from, to: from + Math.min(perProcess, files - done) }
    const died = await hire(order, ({ number, outcome, reason, failure, peak }) => {
      done = number + 1 - first
      const what = failure ?? (peak > mostMemory ? `the process came to ${peak} bytes of memory` : undefined)
      if (what !== undefined) fail(number, what)
      else tried[outcome!] = (tried[outcome!] ?? 0) + 1
      const short = `${what === undefined ? outcome : 'failed'}: ${(reason ?? '').replace(/"[^"]*"|\b-?\d[\d.e+]*|\[[^\]]*\]/g, '…')}`
      reasons.set(short, (reasons.get(short) ?? 0) + 1)
      onFile?.(done)
      return peak <= mostMemory && Date.now() < end
    })
    if (died === undefined) continue
    fail(first + done, died)
    done++
  }
  return { tried, reasons, failures }
}

/** Has files tried until they are done, `report` says false, or the process dies: then why. */
function hire(order: Order, report: (answer: Answer) => boolean): Promise<string | undefined> {
  return new Promise(resolve => {
    const execArgv = ['--max-old-space-size=1024']
    const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), { execArgv, silent: true })
    let text = ''
    let why: string | undefined
    let dismissed = false
    const dismiss = (because?: string) => {
      why = because
      dismissed = true
      child.kill('SIGKILL')
    }
    let watch = setTimeout(() => dismiss('it hangs'), patience)
    let next = order.from
    child.stderr!.on('data', data => (text = (text + data).slice(-2000)))
    child.on('message', answer => {
      clearTimeout(watch)
      next = (answer as Answer).number + 1
      if (dismissed) return
      if (!report(answer as Answer)) dismiss()
      else if (next < order.to) watch = setTimeout(() => dismiss('it hangs'), patience)
    })
    child.on('close', (code, signal) => {
      clearTimeout(watch)
      const early = !dismissed && next < order.to
      resolve(early ? `the process ended: ${signal ?? `exit code ${code}`} ${text}` : why)
    })
    child.send(order)
  })
}

/** Writes a file that failed to `dist/fuzz`, and says where it is and how it is tried again. */
export async function keep({ kind, number, what }: Failure, seed: number): Promise<string> {
  const folder = join(root, 'dist', 'fuzz')
  const { bytes, seed: of, done } = await spoiltFile(kind, seed, number)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${seed}-${number}.${kind}`)
  writeFileSync(path, bytes)
  return `${path}: ${of.name}; ${done.join(', ')}\n  ${what}\n  repeat with npm run fuzz -- --kind ${kind} --seed ${seed} --first ${number} --files 1`
}
