import { beside } from './beside.js'

/** A worker of a parallel session, spelled so that bundlers find its script; apart from whoever is no part of it, because they refuse circles of workers. */
export const inBrowser = () => new Worker(new URL('./session-worker.js', import.meta.url), { type: 'module' })
export const inNode = () => beside('session-worker.js', () => new URL('./session-worker.js', import.meta.url))
