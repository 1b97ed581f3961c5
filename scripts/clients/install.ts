// Projects that npm installs in a folder outside of the checkout, once: a client as it is published, and with its onnxruntime
// replaced by this package.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../test/support/root.js'
import type { Client } from './list.js'

const call = promisify(execFile)
/** Kept from one time to the next. */
export const cache = process.env.CAIRN_CLIENTS ?? join(homedir(), '.cache', 'cairnjs-clients')

function npm(args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const program = process.env.npm_execpath
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  return program
    ? call(process.execPath, [program, ...args, ...quiet], { cwd })
    : call(process.platform === 'win32' ? 'npm.cmd' : 'npm', [...args, ...quiet], { cwd })
}

/** This checkout's two packages as npm packs them: file names in the cache. */
export async function pack(): Promise<Packed> {
  mkdirSync(cache, { recursive: true })
  const packed = async (folder: string) => {
    const { stdout } = await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', cache], folder)
    return join(cache, stdout.trim().split('\n').at(-1)!)
  }
  return { runtime: await packed(root), standIn: await packed(join(root, 'ort', 'package')) }
}

export interface Packed {
  readonly runtime: string
  readonly standIn: string
}

/** onnxruntime as clients that only name it as a peer get it. */
const usual = '^1.30.0'

/**
 * A project with the client, and nothing else than an override where `packed` is given: `npm:cairnjs-ort@VERSION`, once that is in
 * the registry, for which the tarballs stand here. Scripts of packages do not run: none is needed, and some fetch what is not npm's.
 */
export async function install(name: string, client: Client, packed?: Packed): Promise<string> {
  const folder = join(cache, `${name.replace(/\W+/g, '-').replace(/^-|-$/g, '')}${packed ? '' : '.usual'}`)
  const version = packed ? `file:${packed.standIn}` : usual
  const { sharp } = client.packages
  const overrides = {
    ...(packed && { 'onnxruntime-web': version, 'onnxruntime-node': version, cairnjs: `file:${packed.runtime}` }),
    ...(sharp && { sharp: '$sharp' })
  }
  const direct = Object.fromEntries((client.imports ?? []).map(other => [other, version]))
  const manifest = { private: true, type: 'module', dependencies: { ...client.packages, ...direct }, overrides }
  const text = JSON.stringify(manifest, null, 2)
  const hash = createHash('sha256').update(text)
  for (const file of packed ? Object.values(packed) : []) hash.update(readFileSync(file))
  const stamp = join(folder, 'stamp')
  const digest = hash.digest('hex')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), text)
    await npm(['install', '--ignore-scripts', '--legacy-peer-deps', '--prefer-offline', '--no-package-lock'], folder)
    writeFileSync(stamp, digest)
  }
  cpSync(join(root, 'scripts', 'clients', 'programs'), join(folder, 'client'), { recursive: true })
  return folder
}
