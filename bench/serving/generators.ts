// What loads a server over HTTP: wrk where it is installed (Debian's package of that name), which takes the least of the cores that
// it shares with the server, or else autocannon, of npm.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'

export interface Request {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Latencies in ms. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
}

export interface Load {
  /** CPU time that generating it has taken so far, in ms. */
  cpu(): number
  /** Rejects where any request has not been answered well. */
  readonly ended: Promise<Latencies>
}

/** Loads `url` with requests one behind the other on each of `connections`, for so many whole seconds; `folder` is for its files. */
export type Generate = (request: Request, connections: number, seconds: number, folder: string) => Load

export const hasWrk = spawnSync('wrk', ['--version']).error === undefined

export const generate: Generate = (...all) => (hasWrk ? byWrk(...all) : byAutocannon(...all))

export const millisecondsOf = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000

/** CPU time of another process in ms, by Linux's count of hundredths of a second. */
export function cpuOf(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

const byAutocannon: Generate = ({ url, headers, body }, connections, seconds) => {
  const options: autocannon.Options = {
    ...{ url, method: 'POST', connections, duration: seconds, body, timeout: 60, headers }
  }
  const running = autocannon(options)
  return {
    cpu: () => millisecondsOf(process.cpuUsage()),
    ended: running.then(({ non2xx, errors, latency }) => {
      if (non2xx || errors) throw new Error(`${non2xx} refused, ${errors} failed`)
      return { p50: latency.p50, p99: latency.p99 }
    })
  }
}

const byWrk: Generate = ({ url, headers, body }, connections, seconds, folder) => {
  const [script, file] = [join(folder, 'request.lua'), join(folder, 'request.bin')]
  writeFileSync(file, body)
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.body = io.open("${file}", "rb"):read("*a")
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers["${name}"] = "${value}"`)
  .join('\n')}
`
  )
  const shape = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '--latency']
  const child = spawn('wrk', [...shape, '-s', script, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', data => (out += data))
  return {
    cpu: () => cpuOf(child.pid!),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', code => {
        const wrong = out.match(/^ *(Non-2xx|Socket errors).*$/m)
        if (code !== 0 || wrong) reject(new Error(wrong ? wrong[0].trim() : `wrk ended with ${code}`))
        else resolve({ p50: latencyOf(out, 50), p99: latencyOf(out, 99) })
      })
    })
  }
}

const units: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3, m: 6e4 }

/** Of wrk's lines `    99%    1.23s`. */
function latencyOf(out: string, percent: number): number {
  const [, value, unit] = out.match(new RegExp(`^ *${percent}% +([0-9.]+)(us|ms|s|m) *$`, 'm')) ?? []
  return Number(value) * units[unit]
}
