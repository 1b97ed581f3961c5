import { beside } from './beside.js'

/**
 * The worker that compiles for the stand-in of onnxruntime (ort/), spelled so that bundlers find its script. In a file of its
 * own, as those of the other workers, and beside them, where hosts that bundle it put it too. The script is not one file as
 * theirs are: it imports the compiler, which a copy of it alone would miss.
 */
export const inBrowser = () => new Worker(new URL('./compile-worker.js', import.meta.url), { type: 'module' })
export const inNode = () => beside('compile-worker.js', () => new URL('./compile-worker.js', import.meta.url))

/**
 * Where nothing but the files of dist/runtime has been copied: a script that needs cairn-full.min.js alone. Not spelled for
 * bundlers, which bring the other along.
 */
export const inBrowserAlone = () =>
  new Worker(import.meta.url.replace(/[^/]*$/, 'compile-alone.js'), { type: 'module' })
