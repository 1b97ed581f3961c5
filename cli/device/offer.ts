import { readdirSync, statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { InputError } from '../terminal/index.js'

/** What a folder offers the browser page: its models and labels, and photos of its own or of the folder beside it. */
export interface Offer {
  /** Each by the name that it is served under, with where it lies. */
  readonly models: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  readonly photos: ReadonlyMap<string, string>
}

/** An entry of models/index.json; places are relative to that file. */
export interface IndexEntry {
  readonly name: string
  readonly file: string
  readonly bytes: number
  readonly labels: readonly string[]
  readonly photos: readonly string[]
}

const isModel = /\.(onnx|cairn)$/i
const isLabels = /^labels.*\.txt$/i
const isPhoto = /\.(jpe?g|png|bmp|gif|webp|avif)$/i

export function offerOf(folder: string): Offer {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(`${folder}: no such folder; a folder with .onnx or .cairn files is allowed`)
  const own = filesOf(folder)
  const among = (pattern: RegExp, files: readonly string[]) =>
    files.map(path => [nameOf(path), path] as const).filter(([name]) => pattern.test(name))
  return {
    models: new Map(among(isModel, own)),
    labels: new Map(among(isLabels, own)),
    photos: new Map(
      among(isPhoto, [...filesOf(join(folder, '..', 'photos')), ...filesOf(join(folder, 'photos')), ...own])
    )
  }
}

export function indexOf({ models, labels, photos }: Offer): IndexEntry[] {
  const places = [...photos.keys()].sort().map(name => `../photos/${encodeURIComponent(name)}`)
  return [...models].map(([name, path]) => ({
    name: name.slice(0, -extname(name).length),
    file: encodeURIComponent(name),
    bytes: statSync(path).size,
    labels: [...labels.keys()].map(encodeURIComponent),
    photos: places
  }))
}

const nameOf = (path: string) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)

function filesOf(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map(entry => resolve(folder, entry.name))
    .sort()
}
