import { namesFor } from '../model/index.js'
import { count, InputError } from '../terminal/index.js'

/** Which of a model's classes each class of labelled pictures is. */
export interface Matching {
  /** The model's class of each of the data's. */
  readonly classes: readonly number[]
  /** By the model's names, by the numbers that name the data's classes, or one behind the other. */
  readonly by: 'name' | 'number' | 'order'
}

/** What the data is called, its classes, the model's names where they are known, and how many classes it has. */
export interface ToMatch {
  readonly data: string
  readonly wanted: readonly string[]
  readonly names: readonly string[] | undefined
  readonly total: number
}

const plain = (name: string) =>
  name
    .trim()
    .toLowerCase()
    .replace(/[_\s]+/g, ' ')

/** Lists of labels give synonyms, as "tench, Tinca tinca". */
const spellings = (name: string) => [name, ...name.split(',')].map(plain)

/** Throws InputError where neither names nor numbers say which class is meant. */
export function matchClasses({ data, wanted, names: given, total }: ToMatch): Matching {
  const names = given && namesFor(given, total)
  if (given && !names) throw new InputError(`${given.length} names of classes; the model gives ${total} scores`)
  const known = names?.map(spellings)
  const named = wanted.map(name => known?.findIndex(list => list.includes(plain(name))) ?? -1)
  if (new Set(named).size === wanted.length && !named.includes(-1)) return { classes: named, by: 'name' }
  const numbers = wanted.map(name => (/^\d+$/.test(name) ? Number(name) : total))
  if (numbers.every(number => number < total)) return { classes: numbers, by: 'number' }
  if (wanted.length === total && !known) return { classes: wanted.map((_, i) => i), by: 'order' }
  const strange = wanted.filter((_, i) => named[i] < 0).slice(0, 3)
  const what = known ? `${strange.map(name => `"${name}"`).join(', ')} are no names of the model's classes` : noNames
  throw new InputError(
    `${data} has ${count(wanted.length)} classes and the model ${count(total)}: ${what}; folders of their names or numbers are allowed`
  )
}

const noNames = 'the model does not say what they are called (--labels does)'

/** For people: how the classes were matched. */
export function describeMatching({ by }: Matching, named: boolean): string {
  if (by === 'name') return "classes are matched by the model's names"
  if (by === 'order') return 'classes are matched by index, in their order: the model has no names'
  const why = named ? "they are not the model's names" : 'the model has no names'
  return `classes are matched by index, the number that names each: ${why}`
}
