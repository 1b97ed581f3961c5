/** Calls and steps follow each other without a pause; signals, messages and timers are heard only in between. */
export class Breath {
  /** Shared by all: epochs may be shorter than a breath. */
  private static last = Date.now()

  /** Lets others have a turn, if they have waited for long. */
  async take(): Promise<void> {
    if (Date.now() - Breath.last < 40) return
    await new Promise(resolve => setTimeout(resolve))
    Breath.last = Date.now()
  }
}

/** What comes of `steps`. With a signal others have a turn now and then, and no step is made once it is given. */
export function finish<R>(steps: Generator<unknown, R>): R
export function finish<R>(steps: Generator<unknown, R>, signal: AbortSignal | undefined): R | Promise<R>
export function finish<R>(steps: Generator<unknown, R>, signal?: AbortSignal): R | Promise<R> {
  if (signal) return finishHeeding(steps, signal)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

async function finishHeeding<R>(steps: Generator<unknown, R>, signal: AbortSignal): Promise<R> {
  const breath = new Breath()
  try {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      await breath.take()
      signal.throwIfAborted()
    }
  } finally {
    steps.return(undefined as R)
  }
}
