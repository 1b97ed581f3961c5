let steps = 0

/** Marks the body while `step` is under way, for those who drive the page; people are shown what `doing` says. */
export async function working<T>(step: Promise<T>): Promise<T> {
  document.body.toggleAttribute('data-working', ++steps > 0)
  try {
    return await step
  } finally {
    document.body.toggleAttribute('data-working', --steps > 0)
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
  /** Whether somebody has asked for more than a quiet one. */
  let loud = false
  return async (quiet = false) => {
    loud ||= !quiet
    if (running) {
      again = true
      return
    }
    running = true
    let allQuiet = true
    try {
      do {
        const isQuiet = !loud
        again = loud = false
        allQuiet &&= isQuiet
        await (isQuiet ? step(true) : working(step(false)))
      } while (again)
      behind(allQuiet)
    } catch (error) {
      failed(error)
    } finally {
      running = false
    }
  }
}
