import { type Dim, evaluate, freeName, freeNamesOf } from './dims.js'
import { FormatError, type Header } from './format.js'

/**
 * What a decoded header must satisfy before anything is done with it: indices that exist, sizes that are whole and
 * not negative, free dimensions that the inputs determine. What depends on sizes follows when these are known
 * (reach/check.ts).
 */
export function checkHeader(header: Header): void {
  const { kernels, storages, constants, derived, states, inputs, outputs, calls, setup, free, constraints } = header
  const known = new Set(free)
  const check = (holds: boolean, what: string) => {
    if (!holds) throw new FormatError(`the file's header is not valid: ${what}`)
  }
  const isIndex = (index: number, list: readonly unknown[]) => index >= 0 && index < list.length
  const isSize = (size: number) => size >= 0 && size <= 2 ** 32
  const bound = (dim: Dim) => [...freeNamesOf(dim)].every(name => known.has(name))

  check(outputs.length > 0, 'it has no outputs')
  for (const { name, fields } of kernels) check(/^[uif]*$/.test(fields), `kernel "${name}" has fields "${fields}"`)
  storages.forEach((size, i) => check(bound(size), `storage ${i} depends on a dimension that no input has`))
  derived.forEach((length, i) => check(isSize(length), `derived buffer ${i} has length ${length}`))
  states.forEach(({ name, shape }, i) =>
    check(shape.reduce((a, b) => a * b, 1) === derived[i], `state "${name}" does not fit its buffer`)
  )
  constants.forEach(({ groups, rows, columns, panel, offset, bytes }, i) =>
    check(
      // Unpacking goes through the rows, empty ones too.
      [groups, rows, columns, panel, offset, bytes, groups * Math.max(rows, 1)].every(isSize) &&
        groups * Math.max(rows, 1) <= Math.max(bytes, 1),
      `constant ${i} has an impossible size`
    )
  )
  constants.forEach(({ stored, kept }, i) =>
    check(kept === 'f32' || stored === 'f16', `constant ${i} is kept as halves but stored in single precision`)
  )
  for (const { name, storage, shape, dtype, offset } of [...inputs, ...outputs]) {
    check(isIndex(storage, storages), `"${name}" lies in storage ${storage}`)
    check([...shape, offset].every(bound), `"${name}" depends on a dimension that no input has`)
    check(dtypes.has(dtype), `"${name}" has element type "${dtype}"`)
  }
  for (const { a, b, where } of constraints)
    check([a, b].every(bound), `${where} depends on a dimension that no input has`)
  const given = new Set(inputs.flatMap(({ shape }) => shape.map(freeName)))
  for (const name of free) check(given.has(name), `free dimension ${name} is the size of no input's axis`)
  const spaces = { constant: constants, derived, storage: storages }
  for (const call of [...setup, ...calls]) {
    const where = `the call of "${call.node}"`
    check(isIndex(call.kernel, kernels), `${where} names kernel ${call.kernel}`)
    check(call.parameters.length === kernels[call.kernel].fields.length, `${where} has too few or too many parameters`)
    check(call.parameters.every(bound), `${where} depends on a dimension that no input has`)
    for (const { space, index, offset } of call.arguments) {
      check(isIndex(index, spaces[space]), `${where} reads ${space} ${index}`)
      check(bound(offset), `${where} depends on a dimension that no input has`)
    }
  }
  for (const call of setup)
    check(
      call.arguments.every(({ space, offset }) => space !== 'storage' && offset === 0) &&
        call.parameters.every(parameter => typeof parameter === 'number'),
      `the setup of "${call.node}" depends on a run`
    )
  for (const dim of [...storages, header.macs]) if (typeof dim !== 'number') evaluate(dim, allOnes(free))
}

const dtypes = new Set([
  'float32',
  'float16',
  'float64',
  'int64',
  'uint64',
  'int32',
  'uint32',
  'int16',
  'uint16',
  'uint8',
  'int8',
  'bool'
])

const allOnes = (free: readonly string[]) => Object.fromEntries(free.map(name => [name, 1]))
