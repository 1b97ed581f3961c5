// A user's project: a folder with the package as npm packs it, the scripts of its package.json run as npm runs them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-fs'
import { root } from '../root.js'

const modules = 'node_modules'
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const call = promisify(execFile)

/** Projects outside of the checkout, so that what they do not name is not found. */
export class Projects {
  private readonly folders: string[]
  private readonly started: ChildProcess[] = []

  private constructor(
    folder: string,
    private readonly tarball: string
  ) {
    this.folders = [folder]
  }

  static async open(): Promise<Projects> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-projects-'))
    const npm = process.env.npm_execpath
    const args = ['pack', '--silent', '--pack-destination', folder]
    const { stdout } = npm
      ? await call(process.execPath, [npm, ...args], { cwd: root })
      : await call('npm', args, { cwd: root })
    return new Projects(folder, join(folder, stdout.trim()))
  }

  /**
   * A copy of `source`, with the packed package, and what both depend on linked to the checkout's; `inside` the checkout for
   * bundlers that follow no link out of the folder of the nearest lock file.
   */
  async make(source: string, inside = false): Promise<Project> {
    const { name } = manifestOf(root)
    if (inside) this.folders.push(mkdtempSync(join(root, 'dist', 'projects-')))
    const folder = join(this.folders.at(inside ? -1 : 0)!, source.split(/[\\/]/).at(-1)!)
    const installed = join(folder, modules, name)
    cpSync(source, folder, { recursive: true, filter: path => !/[\\/](node_modules|dist)$/.test(path) })
    await pipeline(
      createReadStream(this.tarball),
      createGunzip(),
      extract(installed, { map: header => ({ ...header, name: header.name.replace(/^package\//, '') }) })
    )
    const { dependencies, devDependencies } = manifestOf(folder)
    const { bin, dependencies: own } = manifestOf(installed)
    const others = Object.keys({ ...own, ...dependencies, ...devDependencies }).filter(other => other !== name)
    for (const other of others) {
      mkdirSync(dirname(join(folder, modules, other)), { recursive: true })
      symlinkSync(join(root, modules, other), join(folder, modules, other), 'junction')
    }
    mkdirSync(join(folder, modules, '.bin'))
    for (const [command, file] of Object.entries<string>(bin)) {
      chmodSync(join(installed, file), 0o755)
      symlinkSync(join(installed, file), join(folder, modules, '.bin', command))
    }
    return new Project(folder, child => this.started.push(child))
  }

  async close(): Promise<void> {
    for (const child of this.started) await end(child)
    for (const folder of this.folders) rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

export class Project {
  constructor(
    readonly folder: string,
    private readonly keep: (child: ChildProcess) => void
  ) {}

  /** Runs a script of package.json to its end, and gives what it prints. */
  async run(script: string, ...args: string[]): Promise<string> {
    const { child, printed } = this.spawn(script, args)
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`${script} of ${this.folder} ended with ${code}: ${printed()}`)
    return printed()
  }

  /** Starts a script that serves, and gives the first address that it prints. */
  async start(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { child, printed } = this.spawn(script, args, env)
    this.keep(child)
    return new Promise((resolve, reject) => {
      const look = () => {
        const [address] = /http:\/\/[\w.-]+:\d+/.exec(printed()) ?? []
        if (address) resolve(address)
      }
      child.stdout!.on('data', look)
      child.on('close', code => reject(new Error(`${script} of ${this.folder} ended with ${code}: ${printed()}`)))
    })
  }

  /** As npm does: by the shell, with the commands of what is installed in reach. In a group of its own, to be ended as a whole. */
  private spawn(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const command = [manifestOf(this.folder).scripts[script], ...args].join(' ')
    const path = [this.folder, root].map(folder => join(folder, modules, '.bin'))
    const child = spawn(command, {
      cwd: this.folder,
      shell: true,
      detached: process.platform !== 'win32',
      env: {
        ...process.env,
        ...{ CI: '1', NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1', WRANGLER_SEND_METRICS: 'false' },
        ...env,
        PATH: [...path, process.env.PATH].join(delimiter)
      },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream!.on('data', data => (text += data))
    return { child, printed: () => text }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  if (process.platform === 'win32') child.kill()
  else process.kill(-child.pid!, 'SIGKILL')
  await closed
}
