import { beside } from './beside.js'

/**
 * A worker of a parallel session, spelled so that bundlers find its script. In a file of its own, which the scripts of workers do not import:
 * bundlers refuse circles of workers.
 */
export const inBrowser = () => new Worker(new URL('./session-worker.js', import.meta.url), { type: 'module' })
export const inNode = () => beside('session-worker.js', () => new URL('./session-worker.js', import.meta.url))
