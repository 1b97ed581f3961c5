import { CompileError } from 'cairnjs/compiler'
import type { Part } from './protocol.js'

/** Of workers alone. */
declare const FileReaderSync: new () => { readAsArrayBuffer(content: Blob): ArrayBuffer }

/** Weights that lie in files beside the model's, read in a worker when the compiler asks for them. */
export function externalDataFrom(
  model: string,
  parts: readonly Part[] = [],
  read = new Map<string, Uint8Array>()
): (location: string) => Uint8Array {
  return location => {
    const name = location.split(/[\\/]/).at(-1)!
    const part = parts.find(each => each.name === name)
    if (!part) throw new CompileError(`${model} keeps weights in a file of its own, "${name}"; drop that file too`)
    if (!read.has(name)) read.set(name, new Uint8Array(new FileReaderSync().readAsArrayBuffer(part.content)))
    return read.get(name)!
  }
}
