import { CairnError } from '../base/index.js'

/** Options written as one text, as on a command line: `name` or `name=value`, separated by commas. */
export interface Term {
  readonly name: string
  readonly value?: string
}

export function termsOf(text: string): Term[] {
  if (!text.trim()) return []
  return text.split(',').map(part => {
    const [, name, value] = /^([^=]*)(?:=(.*))?$/s.exec(part.trim())!
    return value === undefined ? { name } : { name, value }
  })
}

export interface Bounds {
  readonly least: number
  readonly most: number
  readonly whole?: boolean
}

/** The number that `value` spells; `what` begins the message of the CairnError where it spells none within the bounds. */
export function numberOf(value: string, what: string, { least, most, whole = false }: Bounds): number {
  const number = Number(value)
  const good = value.trim() !== '' && number >= least && number <= most && (!whole || Number.isInteger(number))
  if (good) return number
  const range = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`
  throw new CairnError(`${what}: a ${whole ? 'whole number' : 'number'} ${range} is allowed`)
}
