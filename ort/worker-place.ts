/** The worker that compiles on pages, spelled so that bundlers find its script; in a file of its own, as those of the runtime. */
export const inBrowser = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
