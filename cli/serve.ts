import { existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'
import { indexOf, type Offer, offerOf } from './device/index.js'
import { apiOptions, serveApi } from './serving/index.js'
import { type Command, InputError, jsonOption, longName, print, printJson, UsageError } from './terminal/index.js'

const page = fileURLToPath(new URL('../web', import.meta.url))
/** Where the package has what the page finds in cairn/. */
const runtime = fileURLToPath(new URL('../runtime', import.meta.url))
const usualPort = 8080

/** `cairn serve`: the browser page, with the models, labels and photos of a folder; or with `--api` models for other programs. */
export const serve: Command = {
  name: 'serve',
  usage: '[dir]',
  summary: 'Serve the browser page, with the models, labels and photos of a folder; with --api models to programs.',
  options: [
    { flag: '--port', value: 'N', help: `port to listen on (default ${usualPort}; 0 takes a free one)` },
    { flag: '--host', value: 'H', help: 'address to listen on (default localhost, which only this machine reaches)' },
    ...apiOptions,
    jsonOption
  ],
  examples: ['', 'models --port 9000', '--api models --host 0.0.0.0 --token-file token.txt'],

  async run([folder], flags) {
    if (flags.says('api')) {
      if (folder !== undefined) throw new UsageError(`serve ${folder}: --api MODELS says where the models are`)
      flags.refuse(['port'], 'with --api; --http and --grpc are its ports')
      return serveApi(flags)
    }
    if (flags.without('grpc')) throw new UsageError('--no-grpc is of no use without --api')
    flags.refuse(apiOptions.map(longName), 'without --api')
    const host = flags.text('host') ?? 'localhost'
    const port = flags.whole('port', 0) ?? usualPort
    if (port > 65535) throw new UsageError(`--port ${port}: a whole number from 0 to 65535 is allowed`)
    if (!existsSync(join(page, 'index.html')))
      throw new InputError(`${page}: the browser page is not there; "npm run build" in a clone builds it`)
    const offer = folder === undefined ? undefined : offerOf(folder)

    const server = createServer(handlerOf(folder))
    const url = await listen(server, host, port)
    if (flags.has('json')) printJson({ url, models: offer ? indexOf(offer) : [] })
    else print(greeting(url, folder, offer))
    await stopped(server)
  }
}

function greeting(url: string, folder: string | undefined, offer: Offer | undefined): string {
  const lines = [`Cairn is at ${url} (Ctrl-C ends it)`]
  if (offer)
    lines.push(
      `with ${offer.models.size} models, ${offer.labels.size} lists of labels and ${offer.photos.size} photos of ${folder}`
    )
  if (!isLocal(new URL(url).hostname))
    lines.push(
      'Browsers give threads and the camera only to localhost and to https: other machines get one thread and no camera.'
    )
  return lines.join('\n')
}

const isLocal = (host: string) => host === 'localhost' || host === '[::1]' || host.startsWith('127.')

/** Files of `folder` are looked up anew on each request, and only those that the index names are served. */
function handlerOf(folder: string | undefined): RequestListener {
  const headers = headersOf(readFileSync(join(page, 'index.html'), 'utf8'))
  const pages = sirv(page, { etag: true })
  const own = sirv(runtime, { etag: true })
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value)
    const [, file] = /^\/cairn(\/[\w-]+(?:\.min)?\.(?:js|wasm))(?:[?#]|$)/.exec(request.url ?? '') ?? []
    if (file !== undefined) {
      request.url = file
      return own(request, response)
    }
    if (folder === undefined) return pages(request, response)
    const [, kind, name] = /^\/(models|photos)\/([^/?#]+)(?:[?#]|$)/.exec(request.url ?? '/') ?? []
    if (name === undefined) return pages(request, response)
    try {
      const offer = offerOf(folder)
      if (kind === 'models' && name === 'index.json')
        return response.setHeader('content-type', 'application/json').end(JSON.stringify(indexOf(offer)))
      const wanted = decodeURIComponent(name)
      const path = kind === 'photos' ? offer.photos.get(wanted) : (offer.models.get(wanted) ?? offer.labels.get(wanted))
      if (path === undefined) return response.writeHead(404).end()
      request.url = `/${name}`
      return sirv(dirname(path), { dev: true })(request, response)
    } catch {
      return response.writeHead(404).end()
    }
  }
}

/** What lets a page share memory with its threads; and the page's own policy, which its workers shall have too. */
function headersOf(html: string): [string, string][] {
  const [, policy] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html) ?? []
  return [
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Embedder-Policy', 'require-corp'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ...(policy ? [['Content-Security-Policy', policy] as [string, string]] : [])
  ]
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; another --port is allowed',
  EACCES: 'the port may not be used; a --port from 1024 on is allowed',
  EADDRNOTAVAIL: 'this machine has no such address; localhost and 0.0.0.0 are allowed',
  ENOTFOUND: 'no such host; localhost and 0.0.0.0 are allowed',
  EAI_AGAIN: 'no such host; localhost and 0.0.0.0 are allowed'
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(new InputError(`cannot listen on ${host}:${port}: ${reasons[error.code ?? ''] ?? error.message}`))
    )
    server.listen(port, host, () => {
      const name = host.includes(':') ? `[${host}]` : host
      resolve(`http://${name}:${(server.address() as AddressInfo).port}/`)
    })
  })
}

/** Ctrl-C, or the end asked for in other ways. */
function stopped(server: Server): Promise<void> {
  return new Promise(resolve => {
    const stop = () => {
      server.closeAllConnections()
      server.close(() => resolve())
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })
}
