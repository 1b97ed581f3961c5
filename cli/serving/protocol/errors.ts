/** Why a request is refused, and how HTTP and gRPC say so; gRPC's numbers are those of its specification of status codes. */
const faults = {
  invalid: { http: 400, grpc: 3 },
  unauthenticated: { http: 401, grpc: 16 },
  forbidden: { http: 403, grpc: 7 },
  missing: { http: 404, grpc: 5 },
  slow: { http: 408, grpc: 4 },
  large: { http: 413, grpc: 8 },
  unsupported: { http: 415, grpc: 12 },
  busy: { http: 429, grpc: 8 },
  /** The client has gone; nobody reads the answer. */
  cancelled: { http: 499, grpc: 1 },
  internal: { http: 500, grpc: 13 },
  unavailable: { http: 503, grpc: 14 },
  late: { http: 504, grpc: 4 }
} as const

export type Fault = keyof typeof faults

/** A request that is not answered as it wished, in one line. */
export class ServingError extends Error {
  override name = 'ServingError'

  constructor(
    readonly fault: Fault,
    message: string,
    /** Seconds after which it may be tried again. */
    readonly retryAfter?: number
  ) {
    super(message)
  }

  get status(): number {
    return faults[this.fault].http
  }

  get code(): number {
    return faults[this.fault].grpc
  }
}

export const invalid = (message: string) => new ServingError('invalid', message)

/** What is none of ours is the server's own failure, and says no more than its line. */
export function servingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const told = ['CairnError', 'FormatError', 'CompileError', 'InputError'].includes(name)
  return new ServingError(told ? 'invalid' : 'internal', message.trim().replace(/\s*\n\s*/g, '; '))
}
