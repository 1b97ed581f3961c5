import { Bytes, signedLeb } from './sections.js'

/** WIT's types of single values, with the codes that the binary format has for them. */
const primitives = {
  bool: 0x7f,
  s8: 0x7e,
  u8: 0x7d,
  s16: 0x7c,
  u16: 0x7b,
  s32: 0x7a,
  u32: 0x79,
  s64: 0x78,
  u64: 0x77,
  f32: 0x76,
  f64: 0x75,
  string: 0x73
} as const
export type Primitive = keyof typeof primitives

const ids = { module: 1, instance: 2, component: 4, instances: 5, alias: 6, type: 7, canon: 8, import: 10, export: 11 }
const sorts = { func: 1, type: 3, instance: 5 }
const preamble = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]

/** The module inside of a component; undefined where the bytes are no component of ours. */
export function moduleIn(component: Uint8Array): Uint8Array | undefined {
  if (preamble.some((byte, i) => component[i] !== byte) || component[preamble.length] !== ids.module) return undefined
  let at = preamble.length + 1
  let length = 0
  for (let factor = 1; ; factor *= 128) {
    if (at >= component.length) return undefined
    const byte = component[at++]
    length += (byte & 127) * factor
    if (byte < 128) break
  }
  return component.subarray(at, at + length)
}

/**
 * A component as the binary format of WebAssembly's Component Model has it (Binary.md of its specification), as far as one needs
 * that lifts a function of one module: sections in the order in which they are asked for, with a definition each.
 */
export class Component {
  private readonly bytes = new Bytes().add(preamble)
  private types = 0

  finish(): Uint8Array {
    return this.bytes.finish()
  }

  module(module: Uint8Array): void {
    this.bytes.add([ids.module]).counted(module)
    this.section(ids.instance, [0, 0, 0])
  }

  list(element: Primitive): number {
    return this.define([0x70, primitives[element]])
  }

  record(fields: readonly (readonly [string, number])[]): number {
    return this.define([0x72, ...fieldsOf(fields)])
  }

  /** Of that type, or a string that says what was wrong. */
  result(type: number): number {
    return this.define([0x6a, 1, ...signedLeb(type), 1, primitives.string])
  }

  func(parameters: readonly (readonly [string, number])[], result: number): number {
    return this.define([0x40, ...fieldsOf(parameters), 0, ...signedLeb(result)])
  }

  importType(name: string, type: number): number {
    this.section(ids.import, [0, ...text(name), sorts.type, 0, ...number(type)])
    return this.types++
  }

  exportType(name: string, type: number): number {
    this.section(ids.export, [0, ...text(name), sorts.type, ...number(type), 0])
    return this.types++
  }

  importFunc(name: string, type: number): void {
    this.section(ids.import, [0, ...text(name), sorts.func, ...number(type)])
  }

  /** Exports the function that was imported. */
  exportFunc(name: string, type: number): void {
    this.section(ids.export, [0, ...text(name), sorts.func, 0, 1, sorts.func, ...number(type)])
  }

  /** The module's function as one of that type, whose lists are in the module's memory. */
  lift({ infer, room, release }: { infer: string; room: string; release: string }, type: number): void {
    const core = (sort: number, name: string) => this.section(ids.alias, [0, sort, 1, 0, ...text(name)])
    core(2, 'memory')
    for (const name of [infer, room, release]) core(0, name)
    this.section(ids.canon, [0, 0, 0, 4, 3, 0, 4, 1, 0, 5, 2, ...number(type)])
  }

  /** Exports what `shim` makes of the lifted function and of types by name. */
  exportInstance(shim: Component, func: string, types: readonly (readonly [string, number])[], name: string): void {
    this.bytes.add([ids.component]).counted(shim.finish())
    const given = types.flatMap(([name, type]) => [...text(name), sorts.type, ...number(type)])
    const taken = [...number(types.length + 1), ...text(func), sorts.func, 0, ...given]
    this.section(ids.instances, [0, 0, ...taken])
    this.section(ids.export, [0, ...text(name), sorts.instance, 0, 0])
  }

  private define(type: readonly number[]): number {
    this.section(ids.type, type)
    return this.types++
  }

  private section(id: number, definition: readonly number[]): void {
    this.bytes.add([id]).counted(Uint8Array.of(1, ...definition))
  }
}

const number = (value: number) => [...new Bytes().number(value).finish()]

const text = (name: string) => [...new Bytes().counted(new TextEncoder().encode(name)).finish()]

const fieldsOf = (fields: readonly (readonly [string, number])[]) => [
  ...number(fields.length),
  ...fields.flatMap(([name, type]) => [...text(name), ...signedLeb(type)])
]
