import { freeName, type Header, type Port } from '../../../runtime/file/index.js'
import type { Lane } from '../pool/index.js'
import { datatypeOf, type Inference, invalid } from '../protocol/index.js'

/** A version that answers. */
export interface Served {
  readonly name: string
  readonly version: string
  readonly stamp: string
  readonly header: Header
  readonly lane: Lane
  readonly labels: readonly string[] | undefined
  /** Bytes in all threads. */
  readonly memory: number
  /** Its requests may share runs. */
  readonly isBatched: boolean
}

export interface TensorMetadata {
  readonly name: string
  readonly datatype: string
  /** -1 is any size. */
  readonly shape: readonly number[]
}

export const metadataOf = ({ name, dtype, shape }: Port): TensorMetadata => ({
  name,
  datatype: datatypeOf(dtype),
  shape: shape.map(dim => (typeof dim === 'number' ? dim : -1))
})

/** Refuses what the model does not take before it waits in the queue: each request by itself, never the run that it shares. */
export function checkInference({ header }: Served, { inputs, outputs }: Inference, mostRows: number): void {
  const names = header.inputs.map(({ name }) => name)
  const unknown = Object.keys(inputs).find(name => !names.includes(name))
  if (unknown !== undefined) throw invalid(`no input "${unknown}"; the model takes ${list(names)}`)
  const sizes = new Map<string, number>()
  for (const port of header.inputs) {
    const { datatype, shape } = metadataOf(port)
    const given = inputs[port.name]
    const wanted = `it is ${datatype} [${shape}]`
    if (!given) throw invalid(`input "${port.name}" is missing; ${wanted}`)
    if (given.type !== port.dtype) throw invalid(`input "${port.name}" is ${datatypeOf(given.type)}; ${wanted}`)
    if (given.dims.length !== shape.length || shape.some((size, axis) => size >= 0 && size !== given.dims[axis]))
      throw invalid(`input "${port.name}" has shape [${given.dims}]; ${wanted}`)
    port.shape.forEach((dim, axis) => {
      const free = freeName(dim)
      if (free === undefined) return
      const size = given.dims[axis]
      if ((sizes.get(free) ?? size) !== size)
        throw invalid(`input "${port.name}" has ${free} = ${size} and another has ${sizes.get(free)}; one is allowed`)
      sizes.set(free, size)
      if (axis === 0 && size > mostRows) throw invalid(`a batch of ${size}; up to ${mostRows} are allowed`)
    })
  }
  const given = header.outputs.map(({ name }) => name)
  const other = outputs?.find(name => !given.includes(name))
  if (other !== undefined) throw invalid(`no output "${other}"; the model gives ${list(given)}`)
}

const list = (names: readonly string[]) => names.map(name => `"${name}"`).join(', ')
