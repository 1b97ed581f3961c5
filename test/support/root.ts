// Where the checkout is, seen from dist/test/support.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder of real models beside the checkout, or where CAIRN_SHARED says, if there is one. */
export const sharedModels = [join(process.env.CAIRN_SHARED ?? join(root, '..', 'shared'), 'models')].find(existsSync)
