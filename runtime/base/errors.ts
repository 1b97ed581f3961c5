/** A refusal by the runtime, one line: what, where, what is allowed. */
export class CairnError extends Error {
  override name = 'CairnError'

  constructor(message: string) {
    super(inOneLine(message))
  }
}

/** A backend cannot be had here, whatever the model is: another one may be taken. */
export class Unavailable extends CairnError {}

/** Names come from the file and may hold anything. */
export const inOneLine = (message: string) => message.replace(/\p{Cc}+/gu, ' ')

/** A file that is no .cairn file, is of another version, or is damaged; one line. */
export class FormatError extends Error {
  override name = 'FormatError'

  constructor(message: string) {
    super(inOneLine(message))
  }
}
