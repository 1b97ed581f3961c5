import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { InputError } from '../../terminal/index.js'

/** The inputs of a batch in an order that is the same each time: the index is what a result is known by. */
export interface Input {
  readonly index: number
  readonly path: string
}

const isPicture = /\.(jpe?g|png|webp|avif|gif|tiff?|bmp)$/i
const isManifest = /\.(txt|lst|jsonl)$/i

/** Files, folders with all that is in them, and manifests: a path a line, or `{"path": …}`, from the manifest's folder. */
export async function* inputsOf(places: readonly string[]): AsyncGenerator<Input> {
  let index = 0
  for (const place of places) for await (const path of pathsOf(place)) yield { index: index++, path: resolve(path) }
}

/** How many there are, without keeping them. */
export async function countInputs(places: readonly string[]): Promise<number> {
  let count = 0
  for await (const _ of inputsOf(places)) count++
  if (!count)
    throw new InputError(`${places.join(', ')}: no pictures; files, folders and manifests (.txt, .jsonl) are allowed`)
  return count
}

async function* pathsOf(place: string): AsyncGenerator<string> {
  const kind = statSync(place, { throwIfNoEntry: false })
  if (!kind) throw new InputError(`${place}: no such file or folder`)
  if (kind.isDirectory()) yield* within(place)
  else if (isManifest.test(place)) yield* listedIn(place)
  else yield place
}

function* within(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && existsSync(path) && statSync(path).isDirectory())
    if (isFolder) yield* within(path)
    else if (isPicture.test(extname(entry.name))) yield path
  }
}

async function* listedIn(manifest: string): AsyncGenerator<string> {
  const lines = createInterface({ input: createReadStream(manifest), crlfDelay: Number.POSITIVE_INFINITY })
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim()) yield resolve(dirname(manifest), pathIn(line, `${manifest}:${number}`))
  }
}

function pathIn(line: string, where: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { path } = JSON.parse(line)
    if (typeof path === 'string') return path
  } catch {}
  throw new InputError(`${where}: a path, or an object with "path", is allowed`)
}
