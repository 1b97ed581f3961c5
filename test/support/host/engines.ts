// Other engines of JavaScript than the one that runs the tests, as npm's packages bring them into dist/.cache.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'

/** How an engine is started: a program, and what stands in front of the script. */
export interface Engine {
  readonly name: string
  readonly program: string
  readonly flags: readonly string[]
  readonly version: string
}

interface Known {
  /** What to install; install scripts do not run, so those packages are meant that hold the program itself. */
  readonly packages: readonly string[]
  /** What the program's path in node_modules ends with. */
  readonly program: RegExp
  readonly flags?: readonly string[]
}

const node = (major: number): Known => ({
  packages: [`node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@${major}`],
  program: /node-[\w-]+\/bin\/node(\.exe)?$/
})

const known = {
  node20: node(20),
  node22: node(22),
  node24: node(24),
  bun: { packages: ['bun'], program: /@oven\/[\w-]+\/bin\/bun(\.exe)?$/ },
  deno: { packages: ['deno'], program: /@deno\/[\w-]+\/deno(\.exe)?$/, flags: ['run', '--allow-all'] }
} satisfies Record<string, Known>

export type EngineName = keyof typeof known
export const engineNames = Object.keys(known) as EngineName[]

const folderOf = (name: EngineName) => join(root, 'dist', '.cache', 'engines', name)

/** The engine as it was fetched, or as it stands in the PATH under its plain name; undefined where it is not there. */
export function findEngine(name: EngineName): Engine | undefined {
  const { program, flags = [] }: Known = known[name]
  const folder = join(folderOf(name), 'node_modules')
  const fetched = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file =>
        program.test(file.replaceAll('\\', '/'))
      )
    : []
  // Packages for other C libraries and older processors come along; the one that starts is the right one.
  for (const place of [...fetched.map(file => join(folder, file)), ...(name.startsWith('node') ? [] : [name])]) {
    const { status, stdout } = spawnSync(place, ['--version'], { encoding: 'utf8', timeout: 20_000 })
    if (status === 0) return { name, program: place, flags, version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '' }
  }
  return undefined
}

/** Fetches what is not there from npm. */
export function fetchEngine(name: EngineName): Engine {
  const there = findEngine(name)
  if (there) return there
  const folder = folderOf(name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...known[name].packages]
  execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32'
  })
  const fetched = findEngine(name)
  if (!fetched) throw new Error(`${name} does not start on this machine`)
  return fetched
}
