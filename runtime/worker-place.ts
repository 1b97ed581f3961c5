import { beside } from './beside.js'

/**
 * A thread, spelled so that bundlers find its script. In a file of its own, which the scripts of workers do not import:
 * bundlers refuse circles of workers.
 */
export const inBrowser = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
export const inNode = () => beside('worker.js', () => new URL('./worker.js', import.meta.url))
