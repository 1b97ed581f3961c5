/**
 * Where threads meet. The control block lies at the front of the shared memory, each word on a cache line of its own;
 * runtime/threads.ts knows the same places. Whoever waits spins for some tens of microseconds, which covers the
 * unevenness of slices and costs less than waking up, and then sleeps; a thread that may not sleep (a browser window's) goes on spinning.
 */
/** Threads that have arrived at the barrier. */
const ARRIVED: usize = 0
/** Counts the times that all have met. */
const MEETINGS: usize = 64
/** Counts the runs that the first thread has called for. */
const RUNS: usize = 128
/** Threads that sleep, on either of the two counters. */
const SLEEPERS: usize = 192

const SPINS: u32 = 120000

/** Returns when all `threads` have called it. */
export function meet(threads: u32, maySleep: bool): void {
  const meetings = atomic.load<u32>(MEETINGS)
  if (atomic.add<u32>(ARRIVED, 1) + 1 == threads) {
    atomic.store<u32>(ARRIVED, 0)
    advance(MEETINGS)
  } else {
    leave(MEETINGS, meetings, maySleep)
  }
}

/** Lets the others begin a run. */
export function begin(): void {
  advance(RUNS)
}

/** Returns the number of runs called for, once it is no longer `runs`. */
export function nextRun(runs: u32): u32 {
  leave(RUNS, runs, true)
  return atomic.load<u32>(RUNS)
}

/** A sleeper counts itself before it looks at the counter for the last time, so none is missed. */
function advance(counter: usize): void {
  atomic.add<u32>(counter, 1)
  if (atomic.load<u32>(SLEEPERS) > 0) atomic.notify(counter)
}

function leave(counter: usize, value: u32, maySleep: bool): void {
  for (let i = SPINS; i > 0; i--) if (atomic.load<u32>(counter) != value) return
  if (maySleep) {
    atomic.add<u32>(SLEEPERS, 1)
    while (atomic.load<u32>(counter) == value) atomic.wait<u32>(counter, value)
    atomic.sub<u32>(SLEEPERS, 1)
  } else {
    while (atomic.load<u32>(counter) == value) {}
  }
}
