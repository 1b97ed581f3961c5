/** WebAssembly's text format as nested lists: what Binaryen prints, and takes back. */
export type Node = string | Node[]

const token = /"(?:[^"\\]|\\.)*"|;;.*|[()]|[^\s()";]+/g

export function parse(text: string): Node[] {
  const top: Node[] = []
  const open: Node[][] = [top]
  for (const [word] of text.matchAll(token)) {
    if (word.startsWith(';;')) continue
    if (word === '(') {
      const list: Node[] = []
      open.at(-1)!.push(list)
      open.push(list)
    } else if (word === ')') open.pop()
    else open.at(-1)!.push(word)
  }
  return top
}

export function show(node: Node): string {
  return typeof node === 'string' ? node : `(${node.map(show).join(' ')})`
}

export const isList = (node: Node | undefined): node is Node[] => Array.isArray(node)

/** The lists in `node` that begin with `head`. */
export const childrenOf = (node: Node[], head: string) =>
  node.filter((each): each is Node[] => isList(each) && each[0] === head)

/** Calls `see` with every list inside of `node`, the inner ones first. */
export function walk(node: Node, see: (list: Node[]) => void): void {
  if (!isList(node)) return
  for (const each of node) walk(each, see)
  see(node)
}
