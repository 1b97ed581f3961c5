/** Lets the page work without its server from now on; where the browser has no service workers, it does not. */
export async function workOffline(): Promise<void> {
  await navigator.serviceWorker?.register(new URL('sw.js', document.baseURI)).catch(() => undefined)
}
