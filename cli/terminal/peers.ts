import { InputError } from './command.js'

/**
 * Packages of servers and queues are optional peers: all of them are 45 MB, and pages and builds need none.
 * Throws InputError, which says how they are installed, where one is missing.
 */
export async function needPeers(what: string, names: readonly string[]): Promise<void> {
  const missing: string[] = []
  for (const name of names)
    try {
      await import(name)
    } catch (error) {
      if (!/MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
      missing.push(name)
    }
  if (missing.length)
    throw new InputError(
      `${what} needs ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not installed; "npm i ${missing.join(' ')}" installs what is missing`
    )
}
