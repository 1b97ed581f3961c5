// An error whose message says all: uvu would print a stack that begins with the message again.

export function failure(message: string): Error {
  const error = new Error(message)
  error.stack = message.split('\n')[0]
  return error
}
