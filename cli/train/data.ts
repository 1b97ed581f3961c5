import { createReadStream, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { kindOf } from '../../compiler/onnx/index.js'
import { readBytes } from '../model/index.js'
import { beginningOf, readPicture, refusalOf } from '../pictures/index.js'
import { InputError } from '../terminal/index.js'
import { arraysIn, picturesOf } from './arrays.js'
import type { Pictures } from './dataset.js'
import { LeftOut } from './left-out.js'

export interface Data {
  readonly pictures: Pictures
  /** Files that are no pictures to learn from, and why. */
  readonly leftOut: LeftOut
  readonly cleanUp: () => void
}

/** Reads what `path` lists; what is wrong with it is said of the flag that named it. */
export async function openData(path: string, flag = '--data'): Promise<Data> {
  try {
    return await dataAt(path)
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.message.replaceAll('--data ', `${flag} `)) : error
  }
}

/** As `openData`, where classes do not matter: also the pictures of one folder and of what lies in it, as one class. */
export async function openPictures(path: string): Promise<Data> {
  const isPlain = statSync(path, { throwIfNoEntry: false })?.isDirectory() && foldersIn(path).length < 2
  if (!isPlain || idxName(path, 'train-images') !== undefined) return openData(path)
  const leftOut = new LeftOut(path)
  const names: string[] = []
  for (const file of filesUnder(path, leftOut)) {
    const refusal = await refusalOf(file)
    if (refusal === undefined) names.push(file)
    else leftOut.add(refusal, file)
  }
  if (!names.length)
    throw new InputError(`--data ${path}: no images${leftOut.count ? `; it has ${leftOut.summary()}` : ''}`)
  const read = (index: number) => readPicture(names[index])
  const pictures = { classes: [basename(path)], labels: names.map(() => 0), names, validation: undefined, read }
  return { pictures, leftOut, cleanUp: () => undefined }
}

/** A .tar, gzipped or not, is unpacked to a folder that `cleanUp` removes. */
async function dataAt(path: string): Promise<Data> {
  const arrays = arraysIn(path)
  if (arrays) return { pictures: picturesOf(...arrays), leftOut: new LeftOut(path), cleanUp: () => undefined }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new InputError(`--data ${path}: no such folder; a folder with one folder a class is allowed`)
  if (stat.isDirectory()) {
    const leftOut = new LeftOut(path)
    return { pictures: await picturesIn(path, leftOut), leftOut, cleanUp: () => undefined }
  }
  const found = kindOf(beginningOf(path))
  if (found?.name !== 'tar' && found?.name !== 'gzip')
    throw new InputError(
      `--data ${path} ${found ? `is ${found.what}` : 'is no folder'}; a folder with one folder a class, or a .tar of one, is allowed`
    )
  const folder = mkdtempSync(join(tmpdir(), 'cairn-data-'))
  const cleanUp = () => rmSync(folder, { recursive: true, force: true })
  try {
    const { extract } = await import('tar-fs')
    const unpack = extract(folder)
    if (found.name === 'gzip') await pipeline(createReadStream(path), createGunzip(), unpack)
    else await pipeline(createReadStream(path), unpack)
    const top = soleFolder(folder)
    const leftOut = new LeftOut(top)
    return { pictures: named(await picturesIn(top, leftOut), folder), leftOut, cleanUp }
  } catch (error) {
    cleanUp()
    if (error instanceof InputError) throw new InputError(error.message.replaceAll(folder, path))
    throw new InputError(`--data ${path}: not a tar archive, or a damaged one (${(error as Error).message})`)
  }
}

/** Pictures of an archive, by their paths inside of it. */
function named(pictures: Pictures, folder: string): Pictures {
  return {
    ...pictures,
    names: pictures.names.map(name => (name.startsWith(folder) ? relative(folder, name) : name)),
    read(index) {
      try {
        return pictures.read(index)
      } catch (error) {
        throw error instanceof InputError ? new InputError(error.message.replaceAll(join(folder, '/'), '')) : error
      }
    }
  }
}

/** An archive often holds the one folder that holds the classes. */
function soleFolder(folder: string): string {
  const entries = foldersIn(folder)
  return entries.length === 1 && foldersIn(join(folder, entries[0])).length
    ? soleFolder(join(folder, entries[0]))
    : folder
}

/** What systems and programs put beside people's files. */
const isHidden = (name: string) => /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i.test(name)

const foldersIn = (path: string): string[] =>
  readdirSync(path)
    .filter(name => !isHidden(name) && isFolder(join(path, name)))
    .sort(naturally)

const isFolder = (path: string) => Boolean(statSync(path, { throwIfNoEntry: false })?.isDirectory())

const naturally = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1)

/** All files under `path`, links followed, in their natural order. */
function* filesUnder(path: string, leftOut: LeftOut, above: readonly string[] = []): Generator<string> {
  const real = realpathSync(path)
  if (above.includes(real)) return leftOut.add('links to folders that they lie in', path)
  for (const name of readdirSync(path).sort(naturally)) {
    const file = join(path, name)
    if (isHidden(name)) leftOut.add('hidden files', file)
    else if (isFolder(file)) yield* filesUnder(file, leftOut, [...above, real])
    else yield file
  }
}

async function picturesIn(path: string, leftOut: LeftOut): Promise<Pictures> {
  if (idxName(path, 'train-images') !== undefined) return idxPictures(path)
  const folders = foldersIn(path)
  const { training, validation } = partsOf(folders)
  if (!training || !validation) return classesIn(path, folders, leftOut)
  for (const name of readdirSync(path).sort(naturally))
    if (name !== training && name !== validation) leftOut.add(`beside ${training} and ${validation}`, join(path, name))
  const [first, second] = [
    await classesIn(join(path, training), foldersIn(join(path, training)), leftOut),
    await classesIn(join(path, validation), foldersIn(join(path, validation)), leftOut)
  ]
  const strange = second.classes.find(name => !first.classes.includes(name))
  if (strange !== undefined)
    throw new InputError(`--data ${path}: ${validation} has a class "${strange}" that ${training} has not`)
  const count = first.labels.length
  return {
    classes: first.classes,
    labels: [...first.labels, ...second.labels.map(label => first.classes.indexOf(second.classes[label]))],
    names: [...first.names, ...second.names],
    validation: second.labels.map((_, i) => count + i),
    read: index => (index < count ? first.read(index) : second.read(index - count))
  }
}

function partsOf(folders: readonly string[]): { training?: string; validation?: string } {
  return {
    training: folders.find(name => /^train(ing)?$/i.test(name)),
    validation: validationNames.flatMap(like => folders.filter(name => like.test(name)))[0]
  }
}

/** The folder inside of `path` whose pictures train, where others of it validate. */
export function trainingPart(path: string): string | undefined {
  const { training, validation } = partsOf(foldersIn(path))
  return training && validation ? join(path, training) : undefined
}

/** What validates, the first that there is. */
const validationNames = [/^val(id|idation)?$/i, /^test(ing)?$/i]

async function classesIn(path: string, classes: readonly string[], leftOut: LeftOut): Promise<Pictures> {
  if (classes.length < 2) {
    const found = classes.length ? `only one class, "${classes[0]}"` : 'no folders'
    throw new InputError(`--data ${path}: ${found}; a folder for each of at least two classes is needed`)
  }
  for (const name of readdirSync(path).sort(naturally))
    if (!classes.includes(name))
      leftOut.add(isHidden(name) ? 'hidden files' : 'beside the folders of the classes', join(path, name))
  const labels: number[] = []
  const names: string[] = []
  for (const [label, name] of classes.entries()) {
    const before = names.length
    const others = new LeftOut(path)
    for (const file of filesUnder(join(path, name), others)) {
      const refusal = await refusalOf(file)
      if (refusal !== undefined) {
        others.add(refusal, file)
        continue
      }
      labels.push(label)
      names.push(file)
    }
    if (names.length === before)
      throw new InputError(
        `--data ${path}: class "${name}" has no images${others.count ? `; it has ${others.summary()}` : ''}`
      )
    leftOut.take(others)
  }
  return { classes, labels, names, validation: undefined, read: index => readPicture(names[index]) }
}

/** `train-images-idx3-ubyte`, with or without .gz. */
function idxName(path: string, stem: string): string | undefined {
  const kind = stem.endsWith('images') ? 'idx3' : 'idx1'
  return [`${stem}-${kind}-ubyte`, `${stem}-${kind}-ubyte.gz`].map(name => join(path, name)).find(existsSync)
}

/** The IDX format of MNIST (LeCun, Cortes, Burges) and Fashion-MNIST: big-endian sizes, then bytes. */
function readIdx(path: string, stem: string, axes: number): { sizes: number[]; data: Uint8Array } {
  const file = idxName(path, stem)
  if (!file) throw new InputError(`--data ${path}: ${stem}-idx${axes}-ubyte.gz is missing`)
  const bytes = file.endsWith('.gz') ? gunzipped(file) : readBytes(file, 'data')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < 4 + axes * 4 || view.getUint32(0) !== 0x800 + axes)
    throw new InputError(`${file}: not an IDX file of ${axes} axes of bytes`)
  const sizes = Array.from({ length: axes }, (_, i) => view.getUint32(4 + i * 4))
  const data = bytes.subarray(4 + axes * 4)
  if (data.length !== sizes.reduce((a, b) => a * b, 1)) throw new InputError(`${file}: truncated`)
  return { sizes, data }
}

function gunzipped(file: string): Uint8Array {
  try {
    return gunzipSync(readBytes(file, 'data'))
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(`${file}: damaged (${(error as Error).message})`)
  }
}

function idxPictures(path: string): Pictures {
  const parts = ['train', 't10k'].map(part => ({
    images: readIdx(path, `${part}-images`, 3),
    labels: readIdx(path, `${part}-labels`, 1)
  }))
  const [training] = parts
  const count = training.labels.data.length
  const labels = parts.flatMap(part => [...part.labels.data])
  const classes = Array.from({ length: Math.max(...labels) + 1 }, (_, label) => String(label))
  return {
    classes,
    labels,
    names: labels.map((_, i) => (i < count ? `train ${i}` : `test ${i - count}`)),
    validation: labels.flatMap((_, i) => (i < count ? [] : [i])),
    read(index) {
      const { sizes, data } = (index < count ? parts[0] : parts[1]).images
      const [, height, width] = sizes
      const from = (index < count ? index : index - count) * height * width
      const rgb = new Uint8Array(height * width * 3)
      for (let i = 0; i < height * width; i++) rgb.fill(data[from + i], i * 3, i * 3 + 3)
      return { data: rgb, width, height }
    }
  }
}
