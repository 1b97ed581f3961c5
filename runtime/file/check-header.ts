import { FormatError } from '../base/index.js'
import { type Dim, evaluate, freeName, freeNamesOf } from './dims.js'
import type { Draw } from './expected.js'
import type { Header } from './header.js'
import { mostGolden, sumCount } from './observed.js'
import { dtypes } from './program.js'

/**
 * What a decoded header must satisfy before anything is done with it: indices that exist, sizes that are whole and
 * not negative, free dimensions that the inputs determine. What depends on sizes follows when these are known
 * (runtime/check).
 */
export function checkHeader(header: Header): void {
  const { kernels, storages, constants, derived, states, inputs, outputs, counts, faults } = header
  const { calls, setup, free, constraints, narrow } = header
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
  for (const index of narrow) check(isIndex(index, storages), `storage ${index} would hold bytes`)
  check(bound(header.macs), 'its work depends on a dimension that no input has')
  derived.forEach((length, i) => check(isSize(length), `derived buffer ${i} has length ${length}`))
  states.forEach(({ name, shape }, i) =>
    check(shape.reduce((a, b) => a * b, 1) === derived[i], `state "${name}" does not fit its buffer`)
  )
  constants.forEach(({ groups, rows, columns, panel, offset, bytes }, i) => {
    const elements = groups * rows * columns
    check(
      // Unpacking goes through the rows, empty ones too.
      [groups, rows, columns, panel, offset, bytes, elements].every(isSize) &&
        groups * Math.max(rows, 1) <= Math.max(elements, 1),
      `constant ${i} has an impossible size`
    )
  })
  constants.forEach(({ stored, kept, panel }, i) =>
    check(
      (kept === stored || (kept === 'f32' && stored === 'f16')) && (kept !== 'i8' || panel === 0),
      `constant ${i} is kept as ${kept} but stored as ${stored}`
    )
  )
  for (const { name, storage, shape, dtype, offset } of [...inputs, ...outputs]) {
    check(isIndex(storage, storages) && !narrow.includes(storage), `"${name}" lies in storage ${storage}`)
    check([...shape, offset].every(bound), `"${name}" depends on a dimension that no input has`)
    check(
      shape.every(dim => typeof dim !== 'number' || isSize(dim)),
      `"${name}" has an impossible size`
    )
    check((dtypes as readonly string[]).includes(dtype), `"${name}" has element type "${dtype}"`)
  }
  counts.forEach(({ storage, offset, cuts }, i) => {
    check(isIndex(storage, storages) && !narrow.includes(storage), `count ${i} lies in storage ${storage}`)
    check(bound(offset), `count ${i} depends on a dimension that no input has`)
    for (const { output, axis } of cuts)
      check(
        isIndex(output, outputs) && isIndex(axis, outputs[output].shape),
        `count ${i} cuts axis ${axis} of output ${output}`
      )
  })
  faults.forEach(({ storage, offset, of, size }, i) => {
    check(isIndex(storage, storages) && !narrow.includes(storage), `fault ${i} lies in storage ${storage}`)
    check([offset, size].every(bound), `fault ${i} of ${of} depends on a dimension that no input has`)
  })
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
  if (header.golden) {
    const { sizes, inputs: draws, layers } = header.golden
    check(sizes.length === free.length && sizes.every(size => size >= 1), 'golden data has other sizes')
    check(draws.length === inputs.length && draws.every(isDraw), 'golden data has other inputs')
    check(layers.length === calls.length, 'golden data has other layers')
    for (const [i, { count, norm, limit, sums }] of layers.entries())
      check(
        isSize(count) && sums.length === sumCount && [norm, limit, ...sums].every(Number.isFinite),
        `golden data of the call of "${calls[i].node}"`
      )
    const bindings = Object.fromEntries(free.map((name, i) => [name, sizes[i]]))
    for (const { name, shape } of inputs) {
      const elements = shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      check(elements >= 0 && elements <= mostGolden, `golden data has ${elements} elements for "${name}"`)
    }
  }
  for (const dim of [...storages, header.macs]) if (typeof dim !== 'number') evaluate(dim, allOnes(free))
}

const isDraw = ({ low, step, levels }: Draw) =>
  Number.isFinite(low) && Number.isFinite(step) && levels >= 1 && levels <= 2 ** 16

const allOnes = (free: readonly string[]) => Object.fromEntries(free.map(name => [name, 1]))
