import { InputError } from '../../terminal/index.js'
import type { Input } from './inputs.js'
import type { Journal, Outcome } from './journal.js'

/** Brings inputs to their ends, here or on other machines; never rejects for what is an input's own fault. */
export interface Executor {
  run(input: Input): Promise<Outcome>
  /** `done` says that every input has its end in the journal. */
  end(done: boolean): Promise<void>
}

/**
 * Keeps up to `window` inputs under way and writes their ends in order: what the producer holds does not grow with the batch,
 * and where it is killed the journal says how far it has come.
 */
export async function drive(
  inputs: AsyncIterable<Input>,
  executor: Executor,
  journal: Journal,
  window: number,
  progress: (done: number, failed: number) => void
): Promise<void> {
  const ended = new Map<number, { input: string } & Outcome>()
  let failure: Error | undefined
  let wake: (() => void) | undefined
  let under = 0
  const settle = (input: Input, outcome: Outcome) => {
    ended.set(input.index, { input: input.path, ...outcome })
    for (let due = ended.get(journal.next); due; due = ended.get(journal.next)) {
      ended.delete(journal.next)
      under--
      journal.append({ index: journal.next, ...due })
    }
    progress(journal.next, journal.failed)
    wake?.()
  }
  const change = () => new Promise<void>(resolve => (wake = resolve))
  const [from, last] = [journal.next, journal.last]
  for await (const input of inputs) {
    if (input.index < from) {
      if (input.index === from - 1 && input.path !== last)
        throw new InputError(
          `${journal.path}: input ${input.index} was ${last} and is ${input.path} now; the inputs of a batch must stay`
        )
      continue
    }
    while (under >= window && !failure) await change()
    if (failure) break
    under++
    executor
      .run(input)
      .then(outcome => settle(input, outcome))
      .catch(error => {
        failure ??= error
        wake?.()
      })
  }
  while (under && !failure) await change()
  if (failure) throw failure
}
