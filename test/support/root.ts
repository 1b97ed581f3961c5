// Where the checkout is, seen from dist/test/support.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder of real models beside the checkout, where there is one. */
export const sharedModels = [join(root, '..', 'shared', 'models')].find(existsSync)
