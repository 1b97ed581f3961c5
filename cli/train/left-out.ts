import { relative } from 'node:path'
import { print } from '../terminal/index.js'

/** Examples that are named of each reason. */
const mostNamed = 3

/** Files that training leaves out, by reason: nothing is skipped without a word. */
export class LeftOut {
  private readonly reasons = new Map<string, string[]>()

  constructor(private readonly folder: string) {}

  get count(): number {
    return [...this.reasons.values()].reduce((sum, { length }) => sum + length, 0)
  }

  add(reason: string, path: string): void {
    const files = this.reasons.get(reason)
    if (files) files.push(path)
    else this.reasons.set(reason, [path])
  }

  take(other: LeftOut): void {
    for (const [reason, files] of other.reasons) for (const file of files) this.add(reason, file)
  }

  /** By reason, the most frequent first: how many, and some of their names. */
  list(): { reason: string; count: number; examples: string[] }[] {
    return [...this.reasons]
      .map(([reason, files]) => ({
        reason,
        count: files.length,
        examples: files.slice(0, mostNamed).map(file => this.inside(file))
      }))
      .sort((a, b) => b.count - a.count)
  }

  /** What was in an archive has a name of its own. */
  private inside(file: string): string {
    const name = relative(this.folder, file)
    return name.startsWith('..') ? file : name
  }

  /** A line for each reason. */
  lines(): string[] {
    return this.list().map(
      ({ reason, count, examples }) =>
        `${count} × ${reason} (${examples.join(', ')}${count > examples.length ? ', …' : ''})`
    )
  }

  /** Tells of them, if there are any, as of the folder that was asked for. */
  print(folder: string): void {
    if (this.count) print([`left out of ${folder}:`, ...this.lines().map(line => `  ${line}`)].join('\n'))
  }

  /** All in one line, without what may be done about them. */
  summary(): string {
    return this.list()
      .map(({ reason, count }) => `${count} × ${reason.split(';')[0]}`)
      .join(', ')
  }
}
