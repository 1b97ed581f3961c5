/** A benchmark that was called wrong says so in a line, like the commands of `cairn`. */
export function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`)
  process.exit(2)
}
