import type { Bindings } from '../../runtime/dims.js'
import { type Plan, planProgram } from '../../runtime/plan.js'
import type { Program } from '../../runtime/program.js'
import { count, facts, size, table } from './table.js'

type Schedule = Omit<Program, 'constants'>

/** Each storage by what first writes it, for the memory tables and pictures. */
function storageNames({ storages, inputs, outputs, calls }: Schedule): string[] {
  const names = storages.map((_, i) => `storage ${i}`)
  const named = new Set<number>()
  const name = (index: number, text: string) => {
    if (!named.has(index)) names[index] = text
    named.add(index)
  }
  for (const input of inputs) name(input.storage, `input ${input.name}`)
  for (const call of calls)
    for (const { space, index, access } of call.arguments)
      if (space === 'storage' && access !== 'read')
        name(index, access === 'write' ? call.node : `${call.node} (scratch)`)
  for (const output of outputs) name(output.storage, `output ${output.name}`)
  return names
}

export function memoryReport(program: Schedule, bindings: Bindings) {
  const plan = planProgram(program, bindings)
  const names = storageNames(program)
  const storages = plan.blocks
    .map(({ bytes, first, last }, i) => ({ name: names[i], bytes, offset: plan.offsets[i], first, last }))
    .filter(({ bytes }) => bytes > 0)
  return {
    arena: plan.bytes,
    lowerBound: plan.lowerBound,
    ratio: ratioOf(plan),
    calls: program.calls.length,
    storages,
    plan,
    names
  }
}

export function ratioOf({ bytes, lowerBound }: Pick<Plan, 'bytes' | 'lowerBound'>): number {
  return lowerBound ? bytes / lowerBound : 1
}

export function memoryText({ arena, lowerBound, ratio, calls, storages }: ReturnType<typeof memoryReport>): string {
  const at = (call: number) => (call < 0 ? 'start' : call >= calls ? 'end' : String(call))
  const rows = storages.map(({ name, bytes, offset, first, last }) => [
    name,
    count(bytes),
    count(offset),
    at(first),
    at(last)
  ])
  return `${facts([
    ['arena', `${count(arena)} bytes (${size(arena)})`],
    ['lower bound', `${count(lowerBound)} bytes`],
    ['ratio', ratio.toFixed(4)],
    ['calls', String(calls)]
  ])}\n\n${table(['storage', 'bytes', 'offset', 'from call', 'to call'], rows, ['left', 'right', 'right', 'right', 'right'])}`
}
