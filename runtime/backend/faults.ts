import { CairnError } from '../base/index.js'
import { type Bindings, evaluate, type Outcome, outOfRange, resultsOf } from '../file/index.js'
import type { Ran } from './backend.js'

/** What a run must not be given: indices that name nothing. Kernels stay inside their tables, and keep the first of these. */

/** Throws CairnError where a run has met such an index. */
export function refuseFaults(program: Outcome, ran: Ran, bindings: Bindings): void {
  const first = resultsOf(program).length - program.faults.length
  program.faults.forEach(({ of, axis, size }, i) => {
    const [found, index] = ran[first + i] as Float32Array
    if (found) throw new CairnError(outOfRange(of, index, axis, evaluate(size, bindings)))
  })
}
