/** What a command of the CLI is, and the two ways in which it can fail. */
export interface Command {
  readonly name: string
  /** Positional arguments as `<needed>` or `[optional]`; a last one of `<several...>` takes all that follow. */
  readonly usage: string
  readonly summary: string
  readonly options: readonly Option[]
  readonly examples: readonly string[]
  run(positional: readonly string[], flags: Flags): Promise<void>
}

export interface Option {
  /** `--top`, or `-o, --output`. */
  readonly flag: string
  /** What the value is, for those that take one; without it the flag is a switch. */
  readonly value?: string
  readonly help: string
}

/** The command was not called as its usage says: exit 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The command was called right and its input is bad: exit 1. */
export class InputError extends Error {
  override name = 'InputError'
}

export const jsonOption: Option = { flag: '--json', help: 'one JSON object on standard output, nothing else' }

export const longName = ({ flag }: Option) => flag.replace(/^.*--/, '')

/** Parsed flags, read with the type that the command wants. Every getter throws UsageError for what does not fit. */
export class Flags {
  constructor(private readonly given: Readonly<Record<string, unknown>>) {}

  has(name: string): boolean {
    return this.given[name] === true
  }

  /** It was given, as a switch or with a value. */
  says(name: string): boolean {
    return this.has(name) || this.all(name).length > 0
  }

  /** Throws UsageError for the first of `names` that was given; `why` completes "is of no use". */
  refuse(names: readonly string[], why: string): void {
    const given = names.find(name => this.says(name))
    if (given !== undefined) throw new UsageError(`--${given} is of no use ${why}`)
  }

  /** `--no-NAME` was given. */
  without(name: string): boolean {
    return this.given[name] === false
  }

  all(name: string): string[] {
    const value = this.given[name]
    const list = value === undefined ? [] : (Array.isArray(value) ? value : [value]).map(String)
    if (list.includes('')) throw new UsageError(`--${name} needs a value`)
    return list
  }

  text(name: string): string | undefined {
    const list = this.all(name)
    if (list.length > 1) throw new UsageError(`--${name} may be given once`)
    return list[0]
  }

  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(name) ?? fallback
    const found = allowed.find(choice => choice === text)
    if (found === undefined)
      throw new UsageError(`--${name} ${text}: ${allowed.join(', ')} ${allowed.length === 1 ? 'is' : 'are'} allowed`)
    return found
  }

  number(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (text.trim() === '' || !Number.isFinite(Number(text)))
      throw new UsageError(`--${name} ${text}: a number is allowed`)
    return Number(text)
  }

  whole(name: string, least = 1): number | undefined {
    const number = this.number(name)
    if (number !== undefined && !(Number.isSafeInteger(number) && number >= least))
      throw new UsageError(`--${name} ${number}: a whole number of at least ${least} is allowed`)
    return number
  }

  /** Bytes, as `5000000`, `5MB` or `4.5MiB`. */
  bytes(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])(i?))?b?$/i.exec(text)
    if (!match) throw new UsageError(`--${name} ${text}: bytes such as 5000000, 5MB or 4.5MiB are allowed`)
    const [, amount, unit, binary] = match
    return Math.floor(Number(amount) * (binary ? 1024 : 1000) ** (unit ? ' kmg'.indexOf(unit.toLowerCase()) : 0))
  }

  /** Comma-separated numbers. */
  numbers(name: string): number[] | undefined {
    const parts = this.text(name)?.split(',')
    if (parts?.some(part => part.trim() === '' || !Number.isFinite(Number(part))))
      throw new UsageError(`--${name} ${parts.join(',')}: numbers joined by commas are allowed`)
    return parts?.map(Number)
  }

  /** `N=1,H=64` as pairs. */
  dims(name: string): [string, string][] {
    const parts = this.all(name).flatMap(text => text.split(','))
    return parts.map(part => {
      const match = /^([^=]+)=(\d+)$/.exec(part.trim())
      if (!match) throw new UsageError(`--${name} ${part}: sizes such as N=1,H=64 are allowed`)
      return [match[1], match[2]]
    })
  }

  /** The `NAME=VALUE` pairs of a repeatable flag. */
  pairs(name: string, form: string): [string, string][] {
    return this.all(name).map(text => {
      const at = text.indexOf('=')
      if (at < 1 || at === text.length - 1) throw new UsageError(`--${name} ${text}: ${form} is allowed`)
      return [text.slice(0, at), text.slice(at + 1)]
    })
  }
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** What is no failure and yet to be known, on standard error. */
export function printNotes(path: string, notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`cairn: note: ${path}: ${note}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** The one line that a failure shows: what, where, what is allowed. */
export function oneLine(error: unknown): string {
  const known = ['UsageError', 'InputError', 'CompileError', 'CairnError', 'FormatError']
  if (!(error instanceof Error)) return String(error)
  const message = error.message.trim().replace(/\s*\n\s*/g, '; ')
  if (known.includes(error.name)) return message
  return `internal error (${error.name}: ${message}); please report it with the command that shows it`
}
