// Servers and workers as processes of their own, in namespaces of the network where that is asked for.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))
export const cli = join(root, 'dist/cli/index.js')

export interface Started {
  readonly child: ChildProcess
  /** What its first line says. */
  readonly first: string
}

/** Starts a command and waits for its first line. */
export function started(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  inside: readonly string[] = []
): Promise<Started> {
  const [command, ...rest] = [...inside, process.execPath, ...args]
  const child = spawn(command, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stderr!.on('data', data => (err = (err + data).slice(-2000)))
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code}: ${err}`)))
    child.stdout!.on('data', data => {
      out += data
      const end = out.indexOf('\n')
      if (end >= 0) resolve({ child, first: out.slice(0, end) })
    })
  })
}

export const ended = ({ child }: Started): Promise<unknown> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise(resolve => child.once('exit', resolve))
    : Promise.resolve()

/** Of a process, in MiB. */
export function residentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })

/** `count` namespaces on one bridge: 10.77.0.1 is the host, 10.77.0.(2 + i) the i-th. Needs root. */
export class Nets {
  private readonly names: string[] = []

  constructor(
    count: number,
    private readonly bridge = 'cairn0'
  ) {
    this.remove(count)
    ip('link', 'add', this.bridge, 'type', 'bridge')
    ip('addr', 'add', '10.77.0.1/24', 'dev', this.bridge)
    ip('link', 'set', this.bridge, 'up')
    for (let i = 0; i < count; i++) {
      const name = `${this.bridge}-${i}`
      const [outer, inner] = [`${this.bridge}o${i}`, `${this.bridge}i${i}`]
      ip('netns', 'add', name)
      ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner)
      ip('link', 'set', outer, 'master', this.bridge, 'up')
      ip('link', 'set', inner, 'netns', name)
      ip('-n', name, 'addr', 'add', `${this.addressOf(i)}/24`, 'dev', inner)
      ip('-n', name, 'link', 'set', inner, 'up')
      ip('-n', name, 'link', 'set', 'lo', 'up')
      this.names.push(name)
    }
  }

  addressOf(i: number): string {
    return `10.77.0.${2 + i}`
  }

  /** What stands in front of a command that is to run in the i-th. */
  inside(i: number): string[] {
    return ['ip', 'netns', 'exec', this.names[i]]
  }

  remove(count = this.names.length): void {
    const quiet = (...args: string[]) => {
      try {
        execFileSync('ip', args, { stdio: 'ignore' })
      } catch {}
    }
    for (let i = 0; i < count; i++) quiet('netns', 'del', `${this.bridge}-${i}`)
    quiet('link', 'del', this.bridge)
  }
}

export const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

export function flag(name: string, usual: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? usual : Number(process.argv[at + 1])
}
