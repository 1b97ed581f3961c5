import { childrenOf, isList, type Node, walk } from './text.js'

/**
 * Vector constants take 18 bytes of a module wherever they are used. A local that nobody assigns to is a vector of zeros in 2;
 * lanes that are alike are a number, spread, in 8.
 */
export function shortenConstants(module: Node[]): void {
  for (const list of childrenOf(module, 'func')) {
    let zeros = false
    walk(list, node => {
      if (node[0] !== 'v128.const') return
      const shorter = shorterOf(node.slice(2).map(Number))
      if (!shorter) return
      if (shorter === zero) zeros = true
      node.splice(0, node.length, ...shorter)
    })
    if (zeros) list.splice(beginOf(list), 0, ['local', '$zeros', 'v128'])
  }
}

const zero: Node[] = ['local.get', '$zeros']

/** Of four words of 32 bits; undefined where no two halves are alike. */
function shorterOf([a, b, c, d]: readonly number[]): Node[] | undefined {
  if (!(a || b || c || d)) return zero
  if (a === b && a === c && a === d) return ['i32x4.splat', ['i32.const', String(a)]]
  if (a === c && b === d) return ['i64x2.splat', ['i64.const', String((BigInt(b) << 32n) | BigInt(a))]]
  return undefined
}

/** Where a function's instructions begin, behind its parameters, results and locals. */
const beginOf = (list: Node[]) =>
  list.findIndex((each, i) => i > 1 && !(isList(each) && /^(param|result|local|type)$/.test(String(each[0]))))
