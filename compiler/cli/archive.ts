import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'

/**
 * What the package @sparticuz/chromium carries (a browser, the SwiftShader driver, libraries that bare machines lack),
 * unpacked on first use, safe against other processes that do the same.
 */
export type Archive = 'chromium.br' | 'swiftshader.tar.br' | 'al2023.tar.br' | 'fonts.tar.br'

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
  const temporary = mkdtempSync(`${target}-`)
  chmodSync(temporary, 0o755)
  for (const archive of archives) {
    const bytes = await promisify(brotliDecompress)(await readFile(join(folder, 'bin', archive)))
    const files = archive.includes('.tar.')
      ? filesOfTar(bytes)
      : [{ name: basename(archive, '.br'), mode: 0o755, bytes }]
    for (const { name, mode, bytes } of files) {
      const file = join(temporary, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes, { mode })
    }
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
function cacheFolder(): string {
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

interface Entry {
  readonly name: string
  readonly mode: number
  readonly bytes: Uint8Array
}

/** The plain files of a tar archive: blocks of 512 bytes, a header each, numbers in octal. */
export function filesOfTar(tar: Uint8Array): Entry[] {
  const files: Entry[] = []
  for (let at = 0; tar[at]; ) {
    const field = (offset: number, size: number) =>
      new TextDecoder().decode(tar.subarray(at + offset, at + offset + size)).replace(/\0.*$/s, '')
    const size = Number.parseInt(field(124, 12), 8)
    const kind = field(156, 1) || '0'
    const name = field(0, 100)
    if (kind !== '0' && kind !== '5') throw new Error(`${name} is an entry of kind ${kind}; files and folders are read`)
    if (name.split('/').includes('..') || name.startsWith('/')) throw new Error(`${name} leads out of the archive`)
    const bytes = tar.subarray(at + 512, at + 512 + size)
    if (kind === '0') files.push({ name, mode: Number.parseInt(field(100, 8), 8) & 0o777, bytes })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
