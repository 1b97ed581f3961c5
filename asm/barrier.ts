/**
 * Where threads meet. The control block lies at the front of the shared memory, each word on a cache line of its own;
 * runtime/cpu/threads.ts knows the same places. Whoever waits spins for some tens of microseconds, which covers the
 * unevenness of slices and costs less than waking up, and then sleeps; a thread that may not sleep (a browser window's)
 * goes on spinning.
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
/** What atomic.wait returns when nobody has woken it. */
const TIMED_OUT: i32 = 2

/** Nanoseconds that the first thread waits for another before it gives it up for dead; others wait as long as they live. */
const PATIENCE: i64 = 60_000_000_000

/** Returns when all `threads` have called it: true, or false when one has not for so long. */
export function meet(threads: u32, maySleep: bool, patient: bool): bool {
  const meetings = atomic.load<u32>(MEETINGS)
  if (atomic.add<u32>(ARRIVED, 1) + 1 == threads) {
    atomic.store<u32>(ARRIVED, 0)
    advance(MEETINGS)
    return true
  }
  return leave(MEETINGS, meetings, maySleep, patient ? -1 : PATIENCE)
}

/** Lets the others begin a run. */
export function begin(): void {
  advance(RUNS)
}

/** Returns the number of runs called for, once it is no longer `runs`. */
export function nextRun(runs: u32): u32 {
  leave(RUNS, runs, true, -1)
  return atomic.load<u32>(RUNS)
}

/** A sleeper counts itself before it looks at the counter for the last time, so none is missed. */
function advance(counter: usize): void {
  atomic.add<u32>(counter, 1)
  if (atomic.load<u32>(SLEEPERS) > 0) atomic.notify(counter)
}

function leave(counter: usize, value: u32, maySleep: bool, patience: i64): bool {
  for (let i = SPINS; i > 0; i--) if (atomic.load<u32>(counter) != value) return true
  if (!maySleep) {
    while (atomic.load<u32>(counter) == value) {}
    return true
  }
  atomic.add<u32>(SLEEPERS, 1)
  let late = false
  while (!late && atomic.load<u32>(counter) == value) late = atomic.wait<u32>(counter, value, patience) == TIMED_OUT
  atomic.sub<u32>(SLEEPERS, 1)
  return !late
}
