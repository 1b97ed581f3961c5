import { byId } from '../dom.js'
import type { Progress } from '../engine/protocol.js'

/** What the page is doing, what has failed, and what assistive technology shall say. */
export function busy(what: string | undefined, progress?: Progress): void {
  byId('busy').hidden = what === undefined
  byId('doing').textContent = [what, progress?.what].filter(Boolean).join(': ')
  const bar = byId<HTMLProgressElement>('progress')
  if (progress) bar.value = progress.done / progress.total
  else bar.removeAttribute('value')
}

export function announce(text: string): void {
  byId('announce').textContent = text
}

export function showFailure(error: unknown): void {
  byId('failure').hidden = error === undefined
  byId('failure-text').textContent = error instanceof Error ? error.message : String(error ?? '')
}

byId('failure-close').onclick = () => showFailure(undefined)

let working = 0

/** Runs `step` with the page marked as busy; what it refuses is shown, and undefined returned. */
export async function doing<T>(
  what: string,
  step: (progress: (progress: Progress) => void) => Promise<T>
): Promise<T | undefined> {
  working++
  showFailure(undefined)
  busy(what)
  try {
    return await step(progress => busy(what, progress))
  } catch (error) {
    showFailure(error)
    return undefined
  } finally {
    if (--working === 0) busy(undefined)
  }
}
