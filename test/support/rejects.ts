import * as assert from 'uvu/assert'
import { CairnError } from '../../runtime/index.js'

/** `run` is refused by an error of `kind`, in one line that fits `message`. */
export async function rejects(
  run: () => Promise<unknown>,
  message: RegExp,
  kind: new (...args: never[]) => Error = CairnError
): Promise<void> {
  try {
    await run()
  } catch (error) {
    assert.instance(error, kind)
    assert.match((error as Error).message, message)
    assert.not.match((error as Error).message, /\n/)
    return
  }
  assert.unreachable(`is not refused: ${message}`)
}
