import { beside } from '../../runtime/beside.js'
import { CompileError } from '../errors.js'
import { withDelta } from './wasm/delta.js'
import {
  dataSections,
  ids,
  memorySection,
  moduleOf,
  sectionsOf,
  segmentsOf,
  withoutMemoryImport,
  withSections
} from './wasm/sections.js'

/** The kernels with what a model needs beside them (asm/standalone/), in two binaries, of which one is the other with changes. */
export type Features = 'plain' | 'relaxed'

/** Each URL spelled out for bundlers. */
const places = {
  'plain.wasm': () => new URL('./plain.wasm', import.meta.url),
  'relaxed.delta': () => new URL('./relaxed.delta', import.meta.url)
}

const known = new Map<Features, Promise<Uint8Array>>()

export function kernelsOf(features: Features): Promise<Uint8Array> {
  const found = known.get(features)
  if (found) return found
  const loading = features === 'plain' ? load('plain.wasm') : relaxed()
  loading.catch(() => known.delete(features))
  known.set(features, loading)
  return loading
}

const relaxed = async () => withDelta(await kernelsOf('plain'), await load('relaxed.delta'))

async function load(file: keyof typeof places): Promise<Uint8Array> {
  const url = beside(file, places[file])
  if (!url) throw new CompileError(`this engine does not know where ${file} is; compile in Node or in a page`)
  const files = url.protocol === 'file:' && globalThis.process?.getBuiltinModule?.('node:fs')
  if (files) return new Uint8Array(files.readFileSync(url))
  const response = await fetch(url)
  if (!response.ok) throw new CompileError(`cannot load ${url}: status ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/**
 * The kernels' module with a memory of its own, and so many segments that lie aside in front of those of the kernels: places,
 * which hold their number alone, for Binaryen to know them by.
 */
export function withOwnMemory(module: Uint8Array, aside: number): Uint8Array {
  const sections = sectionsOf(module)
  const find = (id: number) => sections.find(section => section.id === id)!
  const own = segmentsOf(find(ids.data))
  const held = Array.from({ length: aside }, (_, i) => ({ bytes: Uint8Array.of(i, i >> 8, i >> 16, i >> 24) }))
  const changed = [withoutMemoryImport(find(ids.import)), memorySection(1), ...dataSections([...held, ...own])]
  return moduleOf(withSections(sections, changed))
}
