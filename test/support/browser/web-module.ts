// Modules of the browser page in Node: those that touch no document.
import { build } from 'esbuild'
import { root } from '../root.js'

/** What the module at `path` of the checkout exports, bundled with what it imports. */
export async function webModule<T>(path: string): Promise<T> {
  const { outputFiles } = await build({
    ...{ entryPoints: [path], absWorkingDir: root, bundle: true, write: false, logLevel: 'silent' },
    ...{ format: 'esm', platform: 'browser', target: 'es2022' }
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

/** As much of the browser's ImageData as the page's modules need. */
export class PlainImageData {
  readonly data: Uint8ClampedArray

  constructor(
    readonly width: number,
    readonly height: number
  ) {
    this.data = new Uint8ClampedArray(width * height * 4)
  }
}
