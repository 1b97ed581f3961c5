import { basename } from 'node:path'
import { declarationsOf, headerOf, standaloneOf, witOf } from '../../compiler/standalone/index.js'
import type { Bindings, Program } from '../../runtime/file/index.js'
import { about, writeWhole } from '../model/index.js'
import { type Flags, type Option, UsageError } from '../terminal/index.js'

/** Flags of `cairn compile` whose output is a .wasm. */
export const moduleOptions: readonly Option[] = [
  {
    flag: '--dims',
    value: 'N=1,H=224',
    help: 'with -o model.wasm: sizes of free dimensions, which a module has none of'
  },
  {
    flag: '--wasm-features',
    value: 'plain|relaxed',
    help: 'with -o model.wasm: SIMD of every engine (default), or relaxed SIMD too, which is faster where there is any'
  },
  { flag: '--wasi', help: 'with -o model.wasm: a command as well, which reads .npy or bare elements and writes .npy' },
  {
    flag: '--component',
    help: 'with -o model.wasm: a component, whose interface is written beside it as model.wit'
  },
  { flag: '--emit', value: 'c-header', help: 'with -o model.wasm: a C header with the addresses beside it, as model.h' }
]

export interface ModuleRequest {
  readonly features: 'plain' | 'relaxed'
  readonly dims: Bindings
  readonly wasi: boolean
  readonly component: boolean
  readonly header: boolean
}

/** What the flags say of a module; undefined where none is to be written. */
export function moduleRequestOf(flags: Flags, isModule: boolean): ModuleRequest | undefined {
  if (!isModule) {
    flags.refuse(
      moduleOptions.map(({ flag }) => flag.slice(2)),
      'without -o model.wasm'
    )
    return undefined
  }
  if (flags.says('report')) throw new UsageError('--report is of a .cairn file; inspect tells of a .wasm')
  if (flags.says('golden-dims'))
    throw new UsageError('--golden-dims is of no use with -o model.wasm, whose sizes --dims gives')
  if (flags.has('wasi') && flags.has('component'))
    throw new UsageError('--component is of no use with --wasi: one of them is allowed')
  if (flags.says('emit') && flags.has('component'))
    throw new UsageError('--emit is of no use with --component, whose interface is in model.wit')
  return {
    features: flags.choice<'plain' | 'relaxed'>('wasm-features', ['plain', 'relaxed'], 'plain'),
    dims: Object.fromEntries(flags.dims('dims').map(([name, size]) => [name, Number(size)])),
    wasi: flags.has('wasi'),
    component: flags.has('component'),
    header: flags.text('emit') !== undefined && flags.choice('emit', ['c-header'], 'c-header') === 'c-header'
  }
}

/** The module of a program; Binaryen is loaded for it. */
export function moduleOf(
  path: string,
  program: Program,
  { features, dims, wasi, component }: ModuleRequest,
  golden: boolean
): Promise<Uint8Array> {
  return about(path, async () => {
    const { standaloneFrom } = await import('../../compiler/standalone/register.js')
    return standaloneFrom(program, { dims, wasmFeatures: features, wasi, component, golden })
  })
}

/** Writes a module with its types, a component with its interface, and with a header where one is wanted; returns the other files' names. */
export function writeModule(output: string, bytes: Uint8Array, { header, component, wasi }: ModuleRequest): string[] {
  const metadata = standaloneOf(bytes)!
  const stem = output.replace(/\.wasm$/i, '')
  writeWhole(output, bytes)
  if (component) {
    writeWhole(`${stem}.wit`, witOf(metadata))
    return [`${stem}.wit`]
  }
  writeWhole(`${stem}.d.ts`, declarationsOf(metadata))
  if (header) writeWhole(`${stem}.h`, headerOf(metadata, basename(stem), wasi ? 'the imports of WASI' : 'no imports'))
  return [`${stem}.d.ts`, ...(header ? [`${stem}.h`] : [])]
}
