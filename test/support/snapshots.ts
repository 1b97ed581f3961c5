// Text snapshots: compared with the file, or written to it with `--update`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { root } from './root.js'

/** Compares `text` with test/`folder`/`name`.txt. */
export function checkSnapshot(folder: string, name: string, text: string): void {
  const file = join(root, 'test', folder, `${name}.txt`)
  if (process.env.CAIRN_UPDATE === folder) writeFileSync(file, text)
  assert.ok(existsSync(file), `${file} is missing; npm run snapshots writes it`)
  assert.snapshot(
    text,
    readFileSync(file, 'utf8'),
    `test/${folder}/${name}.txt; if the change is right, npm run snapshots`
  )
}
