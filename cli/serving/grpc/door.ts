import type { Metadata, ServerInterceptor } from '@grpc/grpc-js'
import type { Logger } from 'pino'

/**
 * Messages that are read at once, of all connections: what has come of a message that is not whole is in memory, and eight
 * of the largest are as much as all bodies may have.
 */
const mostReads = 8

/**
 * Stands before every call: one without the token is refused before its message is read, and of those with it only so many
 * are read at once; the others wait, held back by HTTP/2. A message that does not come whole in time is given up.
 */
export function doorOf(
  { ServerInterceptingCall, status }: typeof import('@grpc/grpc-js'),
  isOpen: (path: string, metadata: Metadata) => boolean,
  { log, timeout }: { readonly log: Logger; readonly timeout: number }
): ServerInterceptor {
  let reading = 0
  const waiting = new Set<() => void>()
  const next = () => {
    for (const go of waiting) {
      if (reading >= mostReads) return
      waiting.delete(go)
      go()
    }
  }
  return ({ path }, call) => {
    let timer: NodeJS.Timeout | undefined
    let state: 'waiting' | 'reading' | 'ended' = 'waiting'
    let go: () => void = () => undefined
    const end = () => {
      clearTimeout(timer)
      waiting.delete(go)
      if (state === 'reading') reading--
      state = 'ended'
      next()
    }
    const refuse = (code: number, details: string) => {
      end()
      call.sendStatus({ code, details })
      log.info({ call: path.split('/').at(-1), status: code }, 'answered')
    }
    return new ServerInterceptingCall(call, {
      start: start =>
        start({
          onReceiveMetadata(metadata, pass) {
            if (!isOpen(path, metadata))
              return refuse(
                status.UNAUTHENTICATED,
                'metadata "authorization: Bearer TOKEN" with the server’s token is needed'
              )
            timer = setTimeout(() => refuse(status.DEADLINE_EXCEEDED, 'the message has not come in time'), timeout)
            go = () => {
              reading++
              state = 'reading'
              pass(metadata)
            }
            waiting.add(go)
            next()
          },
          // The call begins only then; a message may be whole before.
          onReceiveHalfClose(pass) {
            end()
            pass()
          },
          onCancel: end
        })
    })
  }
}
