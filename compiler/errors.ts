/** A refusal with a subject: what is wrong, at which node, and what would be allowed. Shown as one line. */
export class CompileError extends Error {
  override name = 'CompileError'

  constructor(
    message: string,
    /** Whether the model may be compiled all the same once the sizes of its inputs and the values of its settings are known. */
    readonly mayWait = false
  ) {
    // Names and shapes come from the file and may hold anything; a message stays one line that can be read.
    const line = message.replace(/\p{Cc}+/gu, ' ')
    super(line.length > longest ? `${line.slice(0, longest)}…` : line)
  }
}

const longest = 900

export function refuse(node: { readonly op: string; readonly name: string }, what: string): CompileError {
  return new CompileError(`${node.op} "${node.name}": ${what}`)
}
