// A web server for tests, on a port of its own: folders, files made up by the test, and what pages post.
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import sirv from 'sirv'

export interface Made {
  readonly type: string
  readonly body: string | Uint8Array
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

export interface SiteOptions {
  /** Folders by the path that they are served under, which ends in a slash. */
  readonly folders?: Readonly<Record<string, string>>
  /** On every answer. */
  readonly headers?: OutgoingHttpHeaders
}

export class Site {
  /** What is served by path, in front of the folders; may change at any time. */
  readonly files = new Map<string, Made | Answer>()
  /** Paths that were asked for, in order. */
  readonly asked: string[] = []
  private readonly posted = new Map<string, (body: Buffer) => void>()
  private readonly server = createServer((request, response) => this.answer(request, response))
  private readonly folders: readonly (readonly [string, ReturnType<typeof sirv>])[]

  private constructor(private readonly options: SiteOptions) {
    this.folders = Object.entries(options.folders ?? {}).map(([path, folder]) => [path, sirv(folder, { dev: true })])
  }

  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(options)
    await new Promise<void>(resolve => site.server.listen(0, '127.0.0.1', resolve))
    return site
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** What a page posts to `path` next. */
  posting(path: string): Promise<Buffer> {
    return new Promise(resolve => this.posted.set(path, resolve))
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url!, this.origin).pathname
    this.asked.push(path)
    for (const [name, value] of Object.entries(this.options.headers ?? {})) response.setHeader(name, value!)
    if (request.method === 'POST') {
      const resolve = this.posted.get(path)
      this.posted.delete(path)
      resolve?.(await buffer(request))
      response.writeHead(resolve ? 204 : 404).end()
      return
    }
    const made = this.files.get(path)
    if (typeof made === 'function') return void made(request, response)
    if (made) {
      const body = typeof made.body === 'string' ? Buffer.from(made.body) : made.body
      response.writeHead(200, { 'content-type': made.type, 'content-length': body.length }).end(body)
      return
    }
    const missing = () => void response.writeHead(404).end()
    const [prefix, folder] = this.folders.find(([prefix]) => path.startsWith(prefix)) ?? []
    if (!folder) return missing()
    request.url = path.slice(prefix!.length - 1)
    folder(request, response, missing)
  }
}
