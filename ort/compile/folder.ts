import type { Cache } from './kept.js'

const days = 24 * 60 * 60 * 1000
/** How long what nobody asks for stays. */
const longest = 30 * days

const node = <K extends keyof Modules>(name: K): Modules[K] => globalThis.process.getBuiltinModule(name) as Modules[K]

interface Modules {
  'node:fs': typeof import('node:fs')
  'node:os': typeof import('node:os')
  'node:path': typeof import('node:path')
}

/** Where a system keeps what can be made again. */
function usualFolder(): string {
  const { env, platform } = globalThis.process
  const { join } = node('node:path')
  const home = node('node:os').homedir()
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'cairnjs', 'Cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'cairnjs')
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'cairnjs')
}

/** Two files a model: what it declares, written last, and the .cairn file. Others may do the same at the same time. */
export function folderCache(
  given: string | undefined,
  stamp: string,
  digestOf: (text: string) => Promise<string>
): Cache {
  const { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } = node('node:fs').promises
  const { join } = node('node:path')
  const folder = given ?? usualFolder()
  const [ports, file, mark] = ['.json', '.cairn', '.mark'].map(
    ending => (key: string) => join(folder, `${stamp}-${key}${ending}`)
  )
  const write = async (path: string, data: string | Uint8Array) => {
    const partial = `${path}.${globalThis.process.pid}-${Math.random().toString(36).slice(2)}.part`
    await writeFile(partial, data)
    await rename(partial, path)
  }
  return {
    async find(key) {
      const text = await readFile(ports(key), 'utf8').catch(() => undefined)
      if (text === undefined) return undefined
      const now = new Date()
      await Promise.all([ports, file].map(path => utimes(path(key), now, now)))
      return { ports: JSON.parse(text), file: file(key) }
    },
    async keep(key, declared, data) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (const name of await readdir(folder)) {
        if (!/\.(json|cairn|mark|part)$/.test(name)) continue
        const found = await stat(join(folder, name)).catch(() => undefined)
        if (found && Date.now() - found.mtimeMs > longest) await rm(join(folder, name), { force: true })
      }
      await write(file(key), data)
      await write(ports(key), JSON.stringify(declared))
    },
    async recall(place) {
      const path = mark(await digestOf(place))
      const digest = await readFile(path, 'utf8').catch(() => undefined)
      const now = new Date()
      if (digest) await utimes(path, now, now)
      return digest
    },
    async remember(place, digest) {
      await write(mark(await digestOf(place)), digest)
    }
  }
}
