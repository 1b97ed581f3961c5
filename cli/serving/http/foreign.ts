import type { FastifyRequest } from 'fastify'
import { ServingError } from '../protocol/index.js'

/** Names that always are this machine's own; another that leads here is somebody's trick with DNS. */
const isOwn = /^(?:localhost|[\w-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/** Throws ServingError `forbidden` for what a page of another site has its reader's browser ask. */
export function refuseForeign({ method, headers }: FastifyRequest, isLocal: boolean): void {
  const { host, origin } = headers
  if (isLocal && host !== undefined && !isOwn.test(host))
    throw new ServingError('forbidden', `host ${host.slice(0, 100)}; localhost is allowed without a token`)
  if (method === 'GET') return
  const site = headers['sec-fetch-site']
  const isForeign =
    site !== undefined
      ? site !== 'same-origin' && site !== 'none'
      : origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
  if (isForeign)
    throw new ServingError('forbidden', 'a page of another site; its own server may ask, or a token is needed')
}
