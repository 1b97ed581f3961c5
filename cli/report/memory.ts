import { type MemoryPlan, memoryPlan, type Schedule } from '../../compiler/lower/index.js'
import type { Bindings, Plan } from '../../runtime/file/index.js'
import { count, facts, size, table } from '../terminal/index.js'

export interface MemoryReport extends MemoryPlan {
  /** The arena over its lower bound. */
  readonly ratio: number
}

export function memoryReport(program: Schedule, bindings: Bindings): MemoryReport {
  const plan = memoryPlan(program, bindings)
  return { ...plan, ratio: ratioOf({ bytes: plan.arena, lowerBound: plan.lowerBound }) }
}

export function ratioOf({ bytes, lowerBound }: Pick<Plan, 'bytes' | 'lowerBound'>): number {
  return lowerBound ? bytes / lowerBound : 1
}

export function memoryText({ arena, lowerBound, ratio, calls, storages }: MemoryReport): string {
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
