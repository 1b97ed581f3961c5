import type { Fed, Named } from '../outputs/output.js'
import { type LabelSet, labelSets } from './label-sets.js'

/** One name a line; a last empty line is none. */
export function parseLabels(text: string): string[] {
  const lines = text.split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The first list that has a name for each class, with or without a background class in front. */
export function fitting(classes: number, lists: readonly (readonly string[])[]): readonly string[] | undefined {
  for (const list of lists) {
    if (list.length === classes) return list
    if (list.length === classes + 1 && /^background$/i.test(list[0])) return list.slice(1)
    if (list.length === classes - 1 && classes > 1000) return ['background', ...list]
  }
  return undefined
}

/** Names for that many classes, if any are known; the user's come first, then the file's, then those that lie about. */
export function namesFor(kind: LabelSet['kind'], classes: number, fed: Fed): Named | undefined {
  const { own, inFile, lists } = fed.knowledge
  const given = fitting(
    classes,
    [own, inFile, ...lists].filter(list => list !== undefined)
  )
  if (given) return { labels: given }
  for (const { labels, caveat } of knownSets(kind, fed, classes)) {
    const fit = fitting(classes, [labels])
    if (fit) return { labels: fit, caveat }
  }
  return undefined
}

/** Names for classes whose number nobody tells, of which `highest` has been seen: lists that lie about prove nothing. */
export function namesUpTo(highest: number, fed: Fed): Named | undefined {
  const { own, inFile } = fed.knowledge
  const given = [own, inFile].find(list => list && list.length > highest)
  if (given) return { labels: given }
  return knownSets('boxes', fed).find(({ labels }) => labels.length > highest)
}

/** Lists of well-known data sets that the model is likely trained on. */
function knownSets(kind: LabelSet['kind'], fed: Fed, classes?: number): LabelSet[] {
  return labelSets.filter(set => set.kind === kind && set.fits(fed, classes))
}

export function nameOf(index: number, labels: readonly string[] | undefined): string {
  return labels?.[index] ?? `class ${index}`
}
