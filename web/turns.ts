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
        await step(quiet)
      } while (again)
      behind(quiet)
    } catch (error) {
      failed(error)
    } finally {
      running = false
    }
  }
}
