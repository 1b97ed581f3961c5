import { beside } from '../runtime/beside.js'

/** The worker that compiles, spelled so that bundlers find its script; in a file of its own, as those of the runtime. */
export const inBrowser = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
export const inNode = () => beside('worker.js', () => new URL('./worker.js', import.meta.url))
