import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { type ImportOptions, kindOf } from '../../compiler/onnx/index.js'
import type { Patch } from '../../train/index.js'
import { InputError, type Option, oneLine, UsageError } from '../terminal/index.js'

/** Files as the commands read and write them: whole or not at all, and failures in one line that names the file. */
export interface ModelFile {
  readonly path: string
  readonly kind: 'onnx' | 'cairn'
  readonly bytes: Uint8Array
  /** What the caller says of its inputs. */
  readonly given?: Given
}

/** What the caller says of an ONNX model's inputs: `--shape` their sizes and names of sizes, `--set` the values of settings. */
export type Given = Pick<ImportOptions, 'shapes' | 'settings'>

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EEXIST: 'a file of that name stands in the way',
  ERR_FS_FILE_TOO_LARGE: 'files over 2 GiB are not supported'
}

function reason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return reasons[code] ?? message
}

export function readBytes(path: string, what = 'file'): Uint8Array {
  try {
    const { buffer, byteOffset, length } = readFileSync(path)
    return new Uint8Array(buffer, byteOffset, length)
  } catch (error) {
    throw new InputError(`cannot read ${what} ${path}: ${reason(error)}`)
  }
}

/** The first bytes of a file, at most `count`. */
export function readFirst(path: string, count: number, what: string): Uint8Array {
  const bytes = new Uint8Array(count)
  try {
    const file = openSync(path, 'r')
    try {
      return bytes.subarray(0, readSync(file, bytes))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new InputError(`cannot read ${what} ${path}: ${reason(error)}`)
  }
}

export const readModel = (path: string): ModelFile => modelOf(path, readBytes(path, 'model'))

/** What `path` has given, told by its bytes. */
export function modelOf(path: string, bytes: Uint8Array): ModelFile {
  const found = kindOf(bytes)?.name
  if (found !== 'cairn') refuseOther(bytes, path, 'an ONNX model or a .cairn file')
  return { path, kind: found === 'cairn' || path.endsWith('.cairn') ? 'cairn' : 'onnx', bytes }
}

/** Names what the file at `path` is where that is known, and not among `wanted`. */
export function refuseOther(bytes: Uint8Array, path: string, allowed: string, ...wanted: string[]): void {
  const other = kindOf(bytes)
  if (other && !wanted.includes(other.name)) throw new InputError(`${path} is ${other.what}; ${allowed} is allowed`)
}

/** For commands that run or compile what `cairn train` has written. */
export const patchOption: Option = {
  flag: '--patch',
  value: 'FILE',
  help: 'the head patch that cairn train has written for this model'
}

/** What a patch holds; undefined where none is given. */
export async function readPatch(path: string | undefined): Promise<Patch | undefined> {
  if (path === undefined) return undefined
  const { decodePatch } = await import('../../train/patch.js')
  try {
    return decodePatch(readBytes(path, 'patch'))
  } catch (error) {
    throw new InputError(`${path}: ${oneLine(error)}`)
  }
}

/** The model with the head of a patch, where one is given. */
export async function patched(model: ModelFile, patch: string | undefined): Promise<ModelFile> {
  if (patch === undefined) return model
  const { applyPatch } = await import('../../train/merge.js')
  try {
    const bytes = await applyPatch(model.bytes, readBytes(patch, 'patch'), { externalData: externalDataOf(model.path) })
    return { ...model, bytes }
  } catch (error) {
    throw new InputError(`${patch}: ${oneLine(error)}`)
  }
}

/** Reads the external data files of the model at `path`; they must lie in its folder. */
export function externalDataOf(path: string): (location: string) => Uint8Array {
  const known = new Map<string, Uint8Array>()
  return location => {
    const found = known.get(location)
    if (found) return found
    const folder = resolve(dirname(path))
    const file = resolve(folder, location)
    const outside = (from: string, to: string) => {
      const way = relative(from, to)
      return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)
    }
    const refusal = `external data "${location}" lies outside the model's folder ${folder}; files inside it are allowed`
    if (location.includes('\0') || outside(folder, file)) throw new InputError(refusal)
    const bytes = readBytes(file, 'external data')
    if (outside(realpathSync(folder), realpathSync(file))) throw new InputError(refusal)
    known.set(location, bytes)
    return bytes
  }
}

/** The model with what the flags say of its inputs; a compiled one has its own. */
export function withGiven(model: ModelFile, { shapes = {}, settings = {} }: Given): ModelFile {
  const [first] = [
    ...Object.keys(shapes).map(name => `--shape ${name}`),
    ...Object.keys(settings).map(n => `--set ${n}`)
  ]
  if (first !== undefined && model.kind === 'cairn')
    throw new UsageError(`${first}: ${model.path} is compiled already; an ONNX model is allowed`)
  return { ...model, given: { shapes, settings } }
}

/** How the model is to be read. */
export const importOf = ({ path, given }: ModelFile): ImportOptions => ({
  ...given,
  externalData: externalDataOf(path)
})

/** Node's own recursive mkdir never returns on file systems, such as /proc, that refuse with ENOENT. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  mkdirSync(path)
}

export const unwritable = (path: string, error: unknown) => new InputError(`cannot write ${path}: ${reason(error)}`)

/** Makes the folder of a file that is to be written; throws InputError where none can be, or a folder has the file's name. */
export function readyFor(path: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    makeFolder(resolve(dirname(path)))
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** Writes a temporary file beside `path` and renames it, so that `path` is never half-written; makes missing folders. */
export function writeWhole(path: string, data: Uint8Array | string): void {
  readyFor(path)
  const temporary = join(dirname(path), `.cairn-${process.pid}-${Date.now()}.tmp`)
  try {
    writeFileSync(temporary, data, { flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary)
    throw unwritable(path, error)
  }
}

/** A file name from the name of a tensor, which may hold what file systems do not. */
export function fileNameOf(name: string): string {
  return name.replace(/[/\\:*?"<>|\s\p{Cc}]/gu, '_').replace(/^\.+/, '_') || '_'
}
