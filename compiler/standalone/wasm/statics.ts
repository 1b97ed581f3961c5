import type { Segment } from './sections.js'
import { childrenOf, isList, type Node, walk } from './text.js'

/**
 * The kernels' constants that a module still reads: those at whose addresses a number or an offset of its functions points.
 * AssemblyScript gives each constant a segment of its own.
 */
export function readBy(module: Node[], segments: readonly (Segment & { readonly at: number })[]): typeof segments {
  const numbers = new Set<number>()
  for (const code of [...childrenOf(module, 'func'), ...childrenOf(module, 'global')])
    walk(code, list => {
      if (list[0] === 'i32.const') numbers.add(Number(list[1]))
      for (const each of list) {
        const match = isList(each) ? null : /^offset=(\d+)$/.exec(each)
        if (match) numbers.add(Number(match[1]))
      }
    })
  return segments.filter(({ at, bytes }) => bytes.some((_, i) => numbers.has(at + i)))
}
