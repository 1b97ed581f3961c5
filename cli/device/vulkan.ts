import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findAdapter } from '../../runtime/webgpu/index.js'

/** Set where this process or the one that started it has looked: a benchmark's fresh processes do not look again. */
const looked = 'CAIRN_VULKAN_DRIVER'

/**
 * Whether this machine has a driver that Dawn can use. Where one that it cannot use stands beside it, of which Dawn would
 * complain, Vulkan's loader is told to load only those of which it says nothing.
 */
export async function findDriver(options: readonly string[]): Promise<boolean> {
  if (process.env[looked]) return true
  const found = await findAdapter(options)
  if (found === 'none') return false
  if (found === 'noisy') {
    const silent: string[] = []
    for (const file of manifests()) if ((await findAdapter(options, only([file]))) === 'silent') silent.push(file)
    if (silent.length) Object.assign(process.env, only(silent))
  }
  process.env[looked] = 'found'
  return true
}

/** The loader's variables, an old one and a new one, that name the drivers it may load. */
export function only(files: readonly string[]): Record<string, string> {
  const list = files.join(delimiter)
  return { VK_DRIVER_FILES: list, VK_ICD_FILENAMES: list }
}

/** The manifests of drivers, where the loader looks for them. */
function manifests(): string[] {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, HOME = '/', ...env } = process.env
  const given = VK_DRIVER_FILES ?? VK_ICD_FILENAMES
  if (given) return given.split(delimiter)
  const folders = [
    ...[env.XDG_CONFIG_HOME ?? join(HOME, '.config'), ...(env.XDG_CONFIG_DIRS ?? '/etc/xdg').split(delimiter)],
    ...['/usr/local/etc', '/etc', env.XDG_DATA_HOME ?? join(HOME, '.local', 'share')],
    ...(env.XDG_DATA_DIRS ?? '/usr/local/share:/usr/share').split(delimiter)
  ].map(folder => join(folder, 'vulkan', 'icd.d'))
  return [...new Set(folders)]
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    .filter(file => file.endsWith('.json'))
}
