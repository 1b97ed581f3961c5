// What tests of the quantiser have in common: feeds, outputs, and how far these are apart.
import { InferenceSession } from '../../../runtime/index.js'
import { numbersOfTensors, tensorsOf } from '../cairn.js'
import type { ModelBuilder } from '../onnx/model.js'
import { type Bindings, type Named, randomFeeds } from '../onnx/oracle.js'
import type { Random } from '../random.js'

export const draws = (model: ModelBuilder, random: Random, count: number, bindings?: Bindings): Named[] =>
  Array.from({ length: count }, () => randomFeeds(model.inputs, random, bindings))

/** Root mean square of the difference over that of the wanted; 0 where nothing differs, even of zeros. */
export function relative(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [errors, squares] = [0, 0]
  for (let i = 0; i < wanted.length; i++) {
    errors += (found[i] - wanted[i]) ** 2
    squares += wanted[i] ** 2
  }
  return errors && Math.sqrt(errors / squares)
}

export async function outputsOf(file: Uint8Array, feeds: Named) {
  const session = await InferenceSession.create(file)
  const results = numbersOfTensors(await session.run(tensorsOf(feeds)))
  await session.release()
  return results
}
