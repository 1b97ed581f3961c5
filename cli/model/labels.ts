import type { Flags, Option } from '../terminal/index.js'
import { type ModelFile, readBytes, refuseOther } from './files.js'
import { about } from './model.js'

/** What a model's classes are called. */
export const labelsOption: Option = { flag: '--labels', value: 'FILE', help: 'class names, one a line' }

export function labelsOf(flags: Flags): string[] | undefined {
  const path = flags.text('labels')
  if (path === undefined) return undefined
  const bytes = readBytes(path, 'labels')
  refuseOther(bytes, path, 'a text file of class names, one a line,', 'text')
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The names that `cairn train` has given the classes of a whole model. */
export async function ownClasses({ path, kind, bytes }: ModelFile): Promise<readonly string[] | undefined> {
  if (kind !== 'onnx') return undefined
  const { classesOf } = await import('../../compiler/onnx/write.js')
  return about(path, () => classesOf(bytes))
}

/** Label files with a background class serve models without one. */
export function namesFor(labels: readonly string[], classes: number): readonly string[] | undefined {
  if (labels.length === classes) return labels
  return labels.length === classes + 1 && /^background$/i.test(labels[0]) ? labels.slice(1) : undefined
}
