// The command line as this checkout has built it, run to its end.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../root.js'

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `cairn` with `first` and what it is given, in `folder`. */
export const commandLine =
  (folder: string, ...first: string[]) =>
  (...args: string[]): Ended => {
    const given = [join(root, 'dist', 'cli', 'index.js'), ...first, ...args]
    return spawnSync(process.execPath, given, { encoding: 'utf8', cwd: folder })
  }
