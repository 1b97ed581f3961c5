import { parseArgs } from 'node:util'
import { type PeerName, peerNames } from '../../cli/measure/index.js'
import { fail } from './fail.js'

/** The text options of a benchmark with their defaults (undefined for none), its switches, and what stands between them. */
export function readArguments<K extends string>(
  usage: string,
  defaults: Readonly<Record<K, string | undefined>>,
  switches: readonly string[] = []
): {
  readonly values: Readonly<Record<K, string | undefined>>
  readonly positionals: readonly string[]
  readonly given: ReadonlySet<string>
} {
  const options = Object.fromEntries(Object.keys(defaults).map(name => [name, { type: 'string' as const }]))
  const turned = Object.fromEntries(switches.map(name => [name, { type: 'boolean' as const }]))
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { ...options, ...turned, help: { type: 'boolean' as const } }
    })
    if (values.help) {
      console.log(usage)
      process.exit(0)
    }
    const given = new Set(switches.filter(name => name in values))
    return { values: { ...defaults, ...(values as Partial<Record<K, string>>) }, positionals, given }
  } catch (error) {
    return fail(`${(error as Error).message.split('. ')[0]}; ${usage}`)
  }
}

/** A number of at least `least`, whole where `whole`. */
export function numberOf(name: string, text: string | undefined, least: number, whole = true): number {
  const value = Number(text)
  if (text?.trim() && value >= least && (!whole || Number.isInteger(value))) return value
  return fail(`--${name} ${text}: ${whole ? 'a whole number' : 'a number'} of at least ${least} is allowed`)
}

export function peersOf(text: string | undefined): readonly PeerName[] {
  const wanted = (text ?? '').split(',').map(name => name.trim())
  for (const name of wanted)
    if (!peerNames.some(peer => peer === name)) fail(`--vs ${name}: ${peerNames.join(', ')} are allowed`)
  return peerNames.filter(name => wanted.includes(name))
}
