import {
  accessSync,
  chmodSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'

/**
 * What the package @sparticuz/chromium carries (a browser, the SwiftShader driver, libraries that bare machines lack),
 * unpacked on first use, safe against other processes that do the same.
 */
export type Archive = 'chromium.br' | 'swiftshader.tar.br' | 'al2023.tar.br' | 'fonts.tar.br'

/** What is unpacked belongs to whoever unpacks it, be it root. (The library's types do not know `chown`.) */
const tarOptions = { chown: false, strict: true }

/** Where the package is, if it is installed and made for this machine. */
function packageFolder(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', '..')
  } catch {
    return undefined
  }
}

/** A folder of that name which holds the contents of the archives; undefined where there are none for this machine. */
export async function unpacked(name: string, archives: readonly Archive[]): Promise<string | undefined> {
  const folder = packageFolder()
  if (!folder || !archives.every(archive => existsSync(join(folder, 'bin', archive)))) return undefined
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const target = join(cacheFolder(), `${name}-${version}`)
  if (existsSync(target)) return target
  // Commands that unpack nothing need not wait for it.
  const { extract } = await import('tar-fs')
  const temporary = mkdtempSync(`${target}-`)
  chmodSync(temporary, 0o755)
  for (const archive of archives) {
    const place = archive.includes('.tar.')
      ? extract(temporary, tarOptions)
      : createWriteStream(join(temporary, basename(archive, '.br')), { mode: 0o755 })
    await pipeline(createReadStream(join(folder, 'bin', archive)), createBrotliDecompress(), place)
  }
  try {
    renameSync(temporary, target)
  } catch (error) {
    // Another process was faster, and what it unpacked is the same.
    rmSync(temporary, { recursive: true })
    if (!existsSync(target)) throw error
  }
  return target
}

let known: string | undefined

/** dist/.cache, which goes when Cairn goes; where that cannot be written, a folder that goes with the process. */
export function cacheFolder(): string {
  if (known) return known
  const beside = fileURLToPath(new URL('../../.cache', import.meta.url))
  try {
    mkdirSync(beside, { recursive: true })
    accessSync(beside, constants.W_OK)
    known = beside
  } catch {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-'))
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    known = folder
  }
  return known
}
