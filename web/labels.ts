import { labelSets } from './label-sets.js'

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

/** Lists of well-known data sets that a model of that name may be trained on. */
export function knownLabels(model: string): (readonly string[])[] {
  return labelSets.filter(({ hint }) => hint.test(model.toLowerCase())).map(({ labels }) => labels)
}

export function nameOf(index: number, labels: readonly string[] | undefined): string {
  return labels?.[index] ?? `class ${index}`
}
