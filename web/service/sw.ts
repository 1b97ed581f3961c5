/**
 * The page without its server. All files of the build are held under the build's version; the page itself, and what the
 * server offers beside it (models, labels, photos), are asked for anew each time and taken from here where nobody answers.
 */
declare const self: ServiceWorkerGlobalScope
/** Put in by the build: all of its files, relative to the page, and a digest of them. */
declare const build: { readonly version: string; readonly files: readonly string[] }

const page = self.registration.scope
const folder = new URL(page).pathname
const [own, offered] = [`cairn page ${folder} ${build.version}`, `cairn offered ${folder}`]
const held = new Set([page, ...build.files.map(file => String(new URL(file, page)))])

/** How many files of the server's are held at most, and how long it may take to say whether the page is newer. */
const [mostOffered, patience] = [48, 4000]

self.addEventListener('install', event => {
  event.waitUntil(
    caches.open(own).then(cache => cache.addAll([...held].map(asked => new Request(asked, { cache: 'no-cache' }))))
  )
})

self.addEventListener('activate', event => {
  event.waitUntil(Promise.all([removeOld(), self.clients.claim()]))
})

async function removeOld(): Promise<void> {
  const old = (await caches.keys()).filter(name => name.startsWith(`cairn page ${folder} `) && name !== own)
  await Promise.all(old.map(name => caches.delete(name)))
}

self.addEventListener('fetch', event => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin || request.headers.has('range')) return
  if (request.mode === 'navigate') {
    if ([folder, `${folder}index.html`].includes(url.pathname)) event.respondWith(newestPage(request))
  } else if (held.has(request.url)) event.respondWith(heldFile(request))
  else if (/^(models|photos)\//.test(url.pathname.slice(folder.length))) event.respondWith(offeredFile(event))
})

/** A newer page brings its own files; without an answer it is the one whose files are here. */
async function newestPage(request: Request): Promise<Response> {
  const late = new Promise<undefined>(resolve => setTimeout(resolve, patience))
  const answer = await Promise.race([fetch(request).catch(() => undefined), late])
  if (answer?.ok || answer?.type === 'opaqueredirect') return answer
  return (await caches.match(page, { cacheName: own })) ?? answer ?? fetch(request)
}

async function heldFile(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: own, ignoreVary: true })) ?? fetch(request)
}

async function offeredFile(event: FetchEvent): Promise<Response> {
  const { request } = event
  const answer = await fetch(request).catch(() => undefined)
  if (answer?.ok) {
    event.waitUntil(hold(request, answer.clone()).catch(() => undefined))
    return answer
  }
  if (answer) return answer
  const last = await caches.match(request, { cacheName: offered, ignoreVary: true })
  return last ?? Response.error()
}

/** The newest; where there is no space for it, the page goes on without. */
async function hold(request: Request, answer: Response): Promise<void> {
  const cache = await caches.open(offered)
  await cache.delete(request)
  await cache.put(request, answer)
  const all = await cache.keys()
  await Promise.all(all.slice(0, Math.max(0, all.length - mostOffered)).map(old => cache.delete(old)))
}

export {}
