let steps = 0

/** Says at the body that there is work until `step` has ended, to those who drive the page; users see less of it. */
export async function working<T>(step: Promise<T>): Promise<T> {
  document.body.dataset.working = String(++steps)
  try {
    return await step
  } finally {
    if (--steps === 0) delete document.body.dataset.working
  }
}

/** Does `step` once at a time; what is asked for meanwhile is done behind it, once. Then, with nothing left to do, `behind`. */
export function oneAtATime(
  step: (quiet: boolean) => Promise<void>,
  behind: (quiet: boolean) => void,
  failed: (error: unknown) => void
): (quiet?: boolean) => Promise<void> {
  let running = false
  let again = false
  return async (quiet = false) => {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      do {
        again = false
        await (quiet ? step(quiet) : working(step(quiet)))
      } while (again)
      behind(quiet)
    } catch (error) {
      failed(error)
    } finally {
      running = false
    }
  }
}
