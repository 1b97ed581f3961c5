import type { Env } from 'onnxruntime-common'

const levels = ['verbose', 'info', 'warning', 'error', 'fatal']

/** Says a thing once, if whoever asks wants to hear of it: a session's own severity, or else the environment's. */
export class Log {
  private readonly least: number

  constructor(env: Env, severity: number | undefined) {
    this.least = severity ?? levels.indexOf(env.logLevel ?? 'warning')
  }

  warn(text: string): void {
    if (this.least <= 2 && isNew(text)) console.warn(`cairn: ${text}`)
  }

  note(text: string): void {
    if (this.least <= 1 && isNew(text)) console.info(`cairn: ${text}`)
  }
}

const said = new Set<string>()

function isNew(text: string): boolean {
  if (said.has(text)) return false
  said.add(text)
  return true
}
