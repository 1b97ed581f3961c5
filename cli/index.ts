#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import sade from 'sade'
import { batch } from './batch.js'
import { bench } from './bench.js'
import { compile } from './compile.js'
import { convert } from './convert.js'
import { embed } from './embed.js'
import { explain } from './explain.js'
import { features } from './features/index.js'
import { inspect } from './inspect.js'
import { quantise } from './quantise.js'
import { run } from './run.js'
import { serve } from './serve.js'
import { type Command, Flags, longName, oneLine, UsageError } from './terminal/index.js'
import { train } from './train.js'
import { verify } from './verify.js'
import { worker } from './worker.js'
import { zoo } from './zoo.js'

/** The command line. Exit codes: 0 done, 1 bad input, 2 wrong usage; the latter two with one line on standard error. */
const commands: readonly Command[] = [
  compile,
  convert,
  quantise,
  run,
  verify,
  inspect,
  explain,
  features,
  bench,
  train,
  embed,
  zoo,
  serve,
  batch,
  worker
]

/** Other spellings of commands. */
const aliases: Readonly<Record<string, string>> = { quantize: 'quantise' }

const isHelp = (argument: string) => argument === '-h' || argument === '--help'

/** The handler that `argv` asks for, or nothing when sade has answered (help, version). */
function parse(given: readonly string[]): (() => Promise<void>) | undefined {
  const [spelled, ...rest] = given
  const first = spelled === undefined ? undefined : (aliases[spelled] ?? spelled)
  const argv = first === undefined ? [] : [first, ...rest]
  const command = commands.find(({ name }) => name === first)
  const names = commands.map(({ name }) => name).join(', ')
  const helping = argv.some(isHelp)
  if (!command && !isHelp(first ?? '') && first !== '--version' && first !== '-v')
    throw new UsageError(`${first ? `no command "${first}"` : 'no command given'}; ${names} are allowed (see --help)`)

  const program = sade('cairn').version(versionOf())
  for (const { name, usage, summary, options, examples } of commands) {
    // For a missing argument sade prints several lines and exits with 1: to it, all are optional.
    const shown = helping ? usage : usage.replaceAll('<', '[').replaceAll('>', ']')
    program.command(`${name} ${shown}`.trimEnd(), summary)
    for (const { flag, value, help } of options) program.option(flag, value ? `${value}  ${help}` : help)
    for (const example of examples) program.example(`${name} ${example}`.trimEnd())
    program.action((...given: unknown[]) => given)
  }
  const isText = ({ value }: { value?: string }) => value !== undefined
  const options = command?.options ?? []
  const parsed = program.parse(
    [process.argv[0], 'cairn', ...joinNegative(argv, options.filter(isText).map(longName))],
    {
      lazy: true,
      string: options.filter(isText).map(longName),
      boolean: options.filter(option => !isText(option)).map(longName),
      alias: Object.fromEntries(
        options.filter(o => longName(o).startsWith('no-')).map(o => [longName(o).slice(3), []])
      ),
      unknown: flag => {
        throw new UsageError(`${first}: unknown flag ${flag}; see cairn ${first} --help`)
      }
    }
  )
  if (!command || !parsed) return undefined
  const flags = parsed.args.at(-1) as unknown as Record<string, unknown> & { _: unknown[] }
  const wanted = command.usage.split(/\s+/).filter(Boolean)
  const positional = [...parsed.args.slice(0, -1), ...flags._].filter(value => value !== undefined).map(String)
  const missing = wanted.slice(positional.length).find(argument => argument.startsWith('<'))
  if (missing) throw new UsageError(`${first}: ${missing} is missing; cairn ${first} ${command.usage} is allowed`)
  if (positional.length > wanted.length && !wanted.at(-1)?.includes('...'))
    throw new UsageError(`${first}: "${positional[wanted.length]}" is one argument too many; see cairn ${first} --help`)
  return () => command.run(positional, new Flags(flags))
}

/** `--mean -1,2` as `--mean=-1,2`, or the number would be taken for a flag. */
function joinNegative(argv: readonly string[], names: readonly string[]): string[] {
  const joined: string[] = []
  for (const argument of argv) {
    const before = joined.at(-1)
    if (/^-[\d.]/.test(argument) && before?.startsWith('--') && names.includes(before.slice(2)))
      joined[joined.length - 1] = `${before}=${argument}`
    else joined.push(argument)
  }
  return joined
}

function versionOf(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

async function main(): Promise<void> {
  try {
    await parse(process.argv.slice(2))?.()
  } catch (error) {
    process.stderr.write(`cairn: ${oneLine(error)}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

// A reader that closes the pipe early (head, less) is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})

await main()
