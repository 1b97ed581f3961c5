import { CairnError } from '../runtime/base/index.js'
import { type Split, type SplitOptions, stratifiedSplit } from '../runtime/train/index.js'
import type { Settings } from './options.js'

/** Labels as a training needs them. Throws CairnError for one that is no class, and for a class without examples. */
export function checkLabels(labels: readonly number[], classes: readonly string[]): void {
  const counts = classes.map(() => 0)
  Array.from(labels).forEach((label, i) => {
    if (!Number.isInteger(label) || !(label in counts))
      throw new CairnError(`example ${i} has class ${label}; 0 to ${classes.length - 1} are allowed`)
    counts[label]++
  })
  const empty = classes.filter((_, i) => counts[i] === 0)
  if (empty.length)
    throw new CairnError(`no examples of ${empty.map(name => `"${name}"`).join(', ')}; each class needs some`)
}

export function splitOf(labels: readonly number[], given: Split | SplitOptions | undefined, { seed }: Settings): Split {
  if (!given || !('training' in given)) return stratifiedSplit(labels, { seed, ...given })
  if (!given.training.length) throw new CairnError('no examples to train on')
  const wrong = [...given.training, ...given.validation].find(index => !(index in labels))
  if (wrong !== undefined) throw new CairnError(`the split has example ${wrong}; 0 to ${labels.length - 1} are allowed`)
  return given
}

/** Examples of all classes in turn, as many as there are, up to `count`. */
export function someOfEach(labels: readonly number[], classes: number, count: number): number[] {
  const lists = Array.from({ length: classes }, (_, label) => labels.flatMap((each, i) => (each === label ? [i] : [])))
  const longest = Math.max(...lists.map(({ length }) => length))
  const turns = Array.from({ length: longest }, (_, turn) => lists.flatMap(list => list.slice(turn, turn + 1)))
  return turns.flat().slice(0, count)
}
