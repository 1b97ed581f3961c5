import { readdirSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { InputError } from '../../terminal/index.js'

/** One version of a model as it lies in the repository. */
export interface Found {
  readonly name: string
  readonly version: string
  readonly path: string
  /** Class names, one a line. */
  readonly labels: string | undefined
  /** Another where the files have changed. */
  readonly stamp: string
}

const isModel = /^model\.(cairn|onnx)$/i
const isPlain = /\.(cairn|onnx)$/i
const isVersion = /^[1-9]\d{0,17}$/

/**
 * What a repository holds: `NAME/VERSION/model.{onnx,cairn}`, `NAME/model.{onnx,cairn}`, or plain `NAME.{onnx,cairn}`, which are
 * version 1. Labels are `labels.txt` beside the model, or `NAME.txt`. A folder of one model takes its name from `name`.
 */
export function scan(place: string, name?: string): Found[] {
  const kind = statSync(place, { throwIfNoEntry: false })
  if (!kind) throw new InputError(`${place}: no such file or folder; a model or a folder of models is allowed`)
  if (kind.isFile()) return [found(name ?? stem(place), '1', place, [`${place.slice(0, -extname(place).length)}.txt`])]
  if (name !== undefined) return versionsIn(place, name)
  const entries = listed(place)
  const plain = entries.filter(entry => !entry.isDirectory() && isPlain.test(entry.name)).map(entry => entry.name)
  const folders = entries.filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
  const all = [
    ...preferred(plain).map(file => found(stem(file), '1', join(place, file), [join(place, `${stem(file)}.txt`)])),
    ...folders.flatMap(folder => versionsIn(join(place, folder.name), folder.name))
  ]
  // A folder of the same name hides the plain file.
  return all.filter(({ name, version }, i) => !all.slice(i + 1).some(a => a.name === name && a.version === version))
}

/** Symbolic links are followed: Kubernetes mounts its volumes by them. */
function listed(folder: string): { readonly name: string; isDirectory(): boolean }[] {
  return readdirSync(folder)
    .sort()
    .map(name => ({
      name,
      isDirectory: () => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() ?? false
    }))
}

function versionsIn(folder: string, name: string): Found[] {
  const labels = join(folder, 'labels.txt')
  const entries = listed(folder)
  const own = modelIn(folder, entries)
  const versions = entries.filter(entry => isVersion.test(entry.name) && entry.isDirectory())
  const inside = versions.flatMap(version => {
    const path = modelIn(join(folder, version.name), listed(join(folder, version.name)))
    return path ? [found(name, version.name, path, [join(folder, version.name, 'labels.txt'), labels])] : []
  })
  return inside.length || !own ? inside : [found(name, '1', own, [labels])]
}

function modelIn(folder: string, entries: readonly { readonly name: string }[]): string | undefined {
  const [file] = preferred(entries.map(entry => entry.name).filter(entry => isModel.test(entry)))
  return file && join(folder, file)
}

/** Compiled files before the ONNX that they are of. */
function preferred(files: readonly string[]): string[] {
  const compiled = new Set(files.filter(file => /\.cairn$/i.test(file)).map(stem))
  return files.filter(file => /\.cairn$/i.test(file) || !compiled.has(stem(file)))
}

const stem = (path: string) => basename(path).slice(0, -extname(path).length)

function found(name: string, version: string, path: string, labels: readonly string[]): Found {
  const own = labels.find(file => statSync(file, { throwIfNoEntry: false })?.isFile())
  return { name, version, path, labels: own, stamp: [path, ...(own ? [own] : [])].map(stampOf).join(' ') }
}

function stampOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, size: 0, mtimeMs: 0 }
  return `${path}:${ino}:${size}:${mtimeMs}`
}
