import { lookup } from 'node:dns/promises'
import { createServer, type Server, type Socket } from 'node:net'

export interface Listener {
  readonly port: number
  /** Takes no more; those that have come stay. */
  close(): void
}

/** Listens on all addresses of `host`, and lets in so many connections at once; more are closed as they come. */
export async function listen(
  host: string,
  port: number,
  most: number,
  take: (socket: Socket) => void
): Promise<Listener> {
  let open = 0
  const servers: Server[] = []
  const close = () => {
    for (const server of servers) server.close()
  }
  const bind = (address: string, port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer(socket => {
        if (open >= most) return socket.destroy()
        open++
        socket.once('close', () => open--)
        take(socket)
      })
      server.once('error', reject)
      server.listen({ host: address, port }, () => {
        server.off('error', reject)
        server.on('error', () => undefined)
        servers.push(server)
        resolve((server.address() as { port: number }).port)
      })
    })
  const [first, ...others] = [...new Set((await lookup(host, { all: true })).map(({ address }) => address))]
  const bound = await bind(first, port)
  for (const address of others)
    await bind(address, bound).catch((error: NodeJS.ErrnoException) => {
      // A name may have addresses that this machine lacks.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return
      close()
      throw error
    })
  return { port: bound, close }
}
