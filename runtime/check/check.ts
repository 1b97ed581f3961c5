import { CairnError, FormatError } from '../base/index.js'
import {
  type Argument,
  type Bindings,
  type Call,
  type Constant,
  type Dim,
  evaluate,
  type Packing,
  type Port,
  type Program,
  residentBytes
} from '../file/index.js'
import type { Fields, Rule } from './rule.js'
import { fieldsOf, rules } from './rules.js'

/**
 * Whether a program's calls stay inside their buffers and end, for one binding of the free dimensions. Together with
 * runtime/file/check-header.ts, which looks at what does not depend on sizes, this is why a file may come from anywhere: kernels compute
 * addresses from parameters and trust them.
 */

/** Elements of a buffer: those that 32-bit addresses reach. */
const largest = 2 ** 30
/** Trips through loops that write nothing, because one of them is empty. */
const idle = 2 ** 20
/** Steps of a run that are allowed where nobody says otherwise: hours. */
export const mostWork = 2 ** 48

/** A program, decoded or about to be encoded. */
type Checked = Omit<Program, 'constants'> & { readonly constants: readonly (Packing & Pick<Constant, 'kept'>)[] }

const fields = new Map<Rule, ReturnType<typeof fieldsOf>>()

function fail(what: string): never {
  throw new FormatError(`the file's calls are not valid: ${what}`)
}

/** Setup calls, and where no dimension is free everything else: what can be checked when a file is opened. */
export function checkFixed(header: Checked, maxWork?: number): void {
  checkCalls(header, header.setup, {}, maxWork)
  if (!header.free.length) checkBound(header, {}, maxWork)
}

/** Storages, ports and calls of a run. Throws FormatError, or CairnError for more than `maxWork` steps. */
export function checkBound(header: Checked, bindings: Bindings, maxWork?: number): void {
  header.storages.forEach((size, i) => {
    const length = evaluate(size, bindings)
    if (!isCount(length)) fail(`storage ${i} would have ${length} elements`)
  })
  for (const { name, ...port } of [...header.inputs, ...header.outputs]) checkPort(header, `"${name}"`, port, bindings)
  header.counts.forEach((count, i) => checkPort(header, `count ${i}`, { ...count, shape: [] }, bindings))
  header.faults.forEach((fault, i) => checkPort(header, `fault ${i}`, { ...fault, shape: [2] }, bindings))
  checkCalls(header, header.calls, bindings, maxWork)
}

function checkPort(
  { storages }: Checked,
  what: string,
  { shape, storage, offset }: Pick<Port, 'shape' | 'storage' | 'offset'>,
  bindings: Bindings
): void {
  const sizes = shape.map(dim => evaluate(dim, bindings))
  const at = evaluate(offset, bindings)
  const end = at + sizes.reduce((a, b) => a * b, 1)
  if (!sizes.every(isCount) || !isCount(at) || !(end <= evaluate(storages[storage], bindings)))
    fail(`${what} of [${sizes.join('×')}] at ${at} leaves storage ${storage}`)
}

/** Steps that the calls take at most, of which each is checked. */
export function workOf(header: Checked, calls: readonly Call[], bindings: Bindings): number {
  return calls.reduce((sum, call) => sum + checkCall(header, call, bindings), 0)
}

function checkCalls(header: Checked, calls: readonly Call[], bindings: Bindings, maxWork = mostWork): void {
  const work = workOf(header, calls, bindings)
  if (!(work <= maxWork)) throw new CairnError(`a run would take ${work} steps; maxWork allows ${maxWork}`)
}

/** Steps that the call takes at most. */
function checkCall(header: Checked, call: Call, bindings: Bindings): number {
  const kernel = header.kernels[call.kernel]
  const where = `${kernel.name} of "${call.node}"`
  const rule = ruleOf(kernel.name)
  if (!rule) throw new CairnError(`there is no kernel "${kernel.name}"; the file was compiled for another version`)
  const block = blockOf(rule, kernel.fields, call.parameters, bindings, where)
  const buffers = Object.entries(rule.buffers)
  if (call.arguments.length !== buffers.length) fail(`${where} takes ${call.arguments.length} buffers`)
  if (!(rule.legal?.(block) ?? true)) fail(`${where} has parameters without a meaning`)
  const touches = rule.touches(block)
  const each = Math.max(rule.each?.(block) ?? 1, 1)
  let work = 0
  buffers.forEach(([name, access], i) => {
    const argument = call.arguments[i]
    const { low, high, trips } = touches[name]
    const length = lengthOf(header, argument, bindings)
    const at = evaluate(argument.offset, bindings)
    if (isNarrow(header, argument) !== (rule.bytes?.includes(name) ?? false))
      fail(`${where} has "${name}" of elements of another size`)
    if (argument.access !== access) fail(`${where} has "${name}" to ${argument.access}`)
    if (access !== 'read' && !mayWrite(header, call, argument)) fail(`${where} writes to ${argument.space}`)
    if ((access === 'scratch' || rule.own?.includes(name)) && isShared(call, argument))
      fail(`${where} has "${name}" in the place of another buffer`)
    // Where nothing is touched, nothing has to be there.
    const empty = low === high
    if (!isCount(at) || (!empty && !(at + low >= 0 && at + high <= length)))
      fail(`${where} touches [${at + low}, ${at + high}) of "${name}", which has ${length} elements`)
    if (access !== 'write') return
    if (!(trips <= Math.max(length, idle))) fail(`${where} writes ${trips} times to ${length} elements`)
    work = Math.max(work, trips * each)
  })
  return work
}

const isShared = ({ arguments: all }: Call, own: Argument) =>
  all.some(other => other !== own && other.space === own.space && other.index === own.index)

const ruleOf = (name: string): Rule | undefined => (Object.hasOwn(rules, name) ? rules[name] : undefined)

const isCount = (value: number) => Number.isInteger(value) && value >= 0 && value <= largest

/** The parameters as the kernel reads them from its block. */
function blockOf(rule: Rule, letters: string, parameters: readonly Dim[], bindings: Bindings, where: string): Fields {
  if (!fields.has(rule)) fields.set(rule, fieldsOf(rule))
  const own = fields.get(rule)!
  if (own.map(({ letter }) => letter).join('') !== letters) fail(`${where} has fields "${letters}"`)
  return Object.fromEntries(
    own.map(({ name, letter }, i) => {
      const value = evaluate(parameters[i], bindings)
      if (letter !== 'f' && value !== value >>> 0 && value !== (value | 0)) fail(`${where} has ${name} = ${value}`)
      return [name, letter === 'f' ? Math.fround(value) : letter === 'i' ? value | 0 : value >>> 0]
    })
  )
}

/**
 * What the kernel may write: storages, states, and while the file is loaded what is derived. Only of storages has every
 * thread a part of its own, as scratch has to be.
 */
function mayWrite({ setup, states }: Checked, call: Call, { space, index, access }: Argument): boolean {
  if (space === 'storage') return true
  return space === 'derived' && access === 'write' && (setup.includes(call) || index < states.length)
}

/** Elements that a buffer holds, of 32 bits but where it holds bytes. */
function lengthOf({ constants, derived, storages }: Checked, { space, index }: Argument, bindings: Bindings): number {
  if (space === 'storage') return evaluate(storages[index], bindings)
  if (space === 'derived') return derived[index]
  return Math.floor(residentBytes(constants[index]) / (constants[index].kept === 'i8' ? 1 : 4))
}

const isNarrow = ({ constants, narrow }: Checked, { space, index }: Argument): boolean =>
  space === 'storage' ? narrow.includes(index) : space === 'constant' && constants[index].kept === 'i8'
