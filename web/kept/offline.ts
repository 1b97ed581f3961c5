/** Lets the page work without its server from now on; where the browser has no service workers, it does not. */
export async function workOffline(): Promise<void> {
  const workers = navigator.serviceWorker
  if (!workers) return
  try {
    const controlled = new Promise(resolve => workers.addEventListener('controllerchange', resolve, { once: true }))
    const isFirst = !workers.controller
    await workers.register(new URL('sw.js', document.baseURI))
    if (!isFirst) return
    await controlled
    // What came before the worker has passed it by; it holds what passes through it.
    const offered = performance.getEntriesByType('resource').filter(({ name }) => isOffered(name))
    for (const { name } of offered) await (await fetch(name)).arrayBuffer()
  } catch {
    // The page goes on as it would without.
  }
}

const isOffered = (url: string) =>
  ['models/', 'photos/'].some(place => url.startsWith(String(new URL(place, document.baseURI))))
