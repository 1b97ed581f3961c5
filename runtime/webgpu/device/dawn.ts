import { CairnError } from '../../base/index.js'

/** What the package `webgpu` exports: Dawn, for Node. */
export interface Dawn {
  /** Its devices end when the object is collected. */
  create(options: string[]): GPU
  /** Constants and classes that browsers have as globals. */
  readonly globals: object
}

export async function loadDawn(): Promise<Dawn> {
  // A name that bundlers do not look into: the package is the caller's choice.
  const name = 'webgpu'
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND'
    throw new CairnError(
      `WebGPU in Node takes the package webgpu, which ${missing ? 'is not installed' : `does not load (${message})`}: npm i webgpu`
    )
  }
}

/** Dawn's adapters; where it finds none it is not asked, for it would complain. */
export async function openDawn(): Promise<GPU> {
  const { create } = await loadDawn()
  if ((await findAdapter([])) === 'none') return { requestAdapter: async () => null } as unknown as GPU
  return create([])
}

/**
 * Loads a library for good; Dawn, which asks for it by its short name, is then given this one. False where it does not load.
 */
export function preload(library: string): boolean {
  const [now, stay] = [2, 0x1000] // RTLD_NOW; RTLD_NODELETE, since Node closes what turns out to be no addon
  try {
    process.dlopen({ exports: {} }, library, now | stay)
    return true
  } catch (error) {
    return /did not self-register/.test((error as Error).message)
  }
}

/** What asks, in a process of its own: it gets Dawn's file and options. */
const question = `
const [file, options] = process.argv.slice(-2)
const addon = { exports: {} }
process.dlopen(addon, file)
addon.exports.create(JSON.parse(options)).requestAdapter().then(adapter => process.exit(adapter ? 0 : 3))`

/**
 * Whether Dawn, which has been loaded, finds an adapter, and finds it without a word. On Linux drivers may be missing or too old,
 * which Dawn and Vulkan's loader say on standard error, and no option stops them: so another process, whose standard error nobody sees,
 * is asked first. `environment` is added to its own. Elsewhere the answer is `silent`.
 */
export async function findAdapter(
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {}
): Promise<'none' | 'noisy' | 'silent'> {
  const { platform, versions, execPath } = process
  const files = process.getBuiltinModule?.('node:fs')
  const children = process.getBuiltinModule?.('node:child_process')
  if (platform !== 'linux' || !files || !children || versions.bun || versions.deno) return 'silent'
  if (!preload('libvulkan.so.1')) return 'none'
  const [, file] = /\s(\/.*\/dawn\.node)$/m.exec(files.readFileSync('/proc/self/maps', 'utf8')) ?? []
  if (!file) return 'silent'
  const env = { ...process.env, ...environment, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' }
  const limits = { env, timeout: 30_000 }
  return new Promise(resolve =>
    children.execFile(execPath, ['-e', question, '--', file, JSON.stringify(options)], limits, (error, _, said) =>
      resolve(error ? 'none' : said ? 'noisy' : 'silent')
    )
  )
}
