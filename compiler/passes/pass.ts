import type { Graph } from '../graph/index.js'

export interface Pass {
  readonly name: string
  /** Rewrites the graph; returns what it did in a few words, or nothing when it changed nothing. */
  run(graph: Graph): string | undefined
}

/** `3 Convs`, `1 Conv`, or nothing for zero. */
export function count(number: number, what: string, plural = `${what}s`): string | undefined {
  return number ? `${number} ${number === 1 ? what : plural}` : undefined
}
