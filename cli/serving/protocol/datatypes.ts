import type { Type } from '../../../runtime/index.js'
import { invalid } from './errors.js'

/** The protocol's element types that models of ours can have, each with the runtime's name and its bytes. */
const types = {
  BOOL: ['bool', 1],
  UINT8: ['uint8', 1],
  UINT16: ['uint16', 2],
  UINT32: ['uint32', 4],
  UINT64: ['uint64', 8],
  INT8: ['int8', 1],
  INT16: ['int16', 2],
  INT32: ['int32', 4],
  INT64: ['int64', 8],
  FP16: ['float16', 2],
  FP32: ['float32', 4],
  FP64: ['float64', 8]
} as const satisfies Record<string, readonly [Type, number]>

export type Datatype = keyof typeof types

export const datatypes = Object.keys(types) as Datatype[]

/** Known to the protocol; no model here takes or gives them. */
const unserved = ['BYTES', 'BF16']

const ofType = new Map(datatypes.map(name => [types[name][0] as string, name]))

export const bytesEach = (datatype: Datatype): number => types[datatype][1]
export const typeOf = (datatype: Datatype): Type => types[datatype][0]

/** The protocol's name of a runtime's type. */
export function datatypeOf(type: string): Datatype {
  return ofType.get(type)!
}

/** `text` as a type that can be served. */
export function readDatatype(text: unknown, of: string): Datatype {
  if (typeof text === 'string' && Object.hasOwn(types, text)) return text as Datatype
  const why = unserved.includes(String(text)) ? 'no model here takes it' : 'no such datatype'
  throw invalid(`${of} has datatype ${JSON.stringify(text) ?? 'none'}: ${why}; ${datatypes.join(', ')} are allowed`)
}
