/**
 * Where a file of the package is: at the URL that is spelled out for bundlers, who see to it that the file is there. A
 * bundle of CommonJS has no such URLs; there it is beside the bundle. Undefined where the engine knows no places at all.
 */
export function beside(file: string, spelled: () => URL): URL | undefined {
  try {
    return spelled()
  } catch {
    const urls = globalThis.process?.getBuiltinModule?.('node:url')
    return urls && typeof __filename === 'string' ? new URL(file, urls.pathToFileURL(__filename)) : undefined
  }
}
