import { type Choice, type Graph, isConstant, type Node, type WinogradTile } from '../graph/index.js'
import { ops } from '../ops/index.js'

/**
 * The kernels of layers that would hold too much memory with their fastest: transformed filters are up to four times
 * the weights. Until weights and what is made of them fit into a budget, the layer moves to a smaller variant that
 * loses least for a float (the greedy way through a knapsack of choices, Sinha and Zoltners 1979).
 */
export function withinBudget(
  { nodes }: Graph,
  variants: ReadonlyMap<Node, readonly Choice[]>
): ReadonlyMap<Node, string> {
  const moved = new Map<Node, string>()
  let excess = (1 - mostHeld) * elementsOf(nodes)
  let moves: Move[] = []
  for (const [node, choices] of variants) {
    if (choices.length < 2) continue
    const fastest = cheapest(choices)
    excess += floatsOf(fastest)
    moves.push(...movesFrom(node, fastest, choices))
  }
  while (excess > 0 && moves.length) {
    const { node, from, to, choices } = moves.reduce((best, next) => (next.price < best.price ? next : best))
    moved.set(node, to.kernel)
    excess -= floatsOf(from) - floatsOf(to)
    moves = [...moves.filter(move => move.node !== node), ...movesFrom(node, to, choices)]
  }
  return moved
}

/** The variants of the nodes that have any, up to a tile of Winograd's; the largest without. */
export function variantsOf({ nodes }: Graph, winograd: WinogradTile = 4): ReadonlyMap<Node, readonly Choice[]> {
  const found = new Map<Node, readonly Choice[]>()
  for (const node of nodes) {
    const own = ops[node.op]?.variants?.(node, winograd)
    if (own) found.set(node, own)
  }
  return found
}

/** Memory for weights and what is made of them, in that of the weights. */
const mostHeld = 2.2

interface Move {
  readonly node: Node
  readonly choices: readonly Choice[]
  readonly from: Choice
  readonly to: Choice
  /** Multiply-accumulates that it costs more for each float that it holds less. */
  readonly price: number
}

function movesFrom(node: Node, from: Choice, choices: readonly Choice[]): Move[] {
  return choices
    .filter(to => floatsOf(to) < floatsOf(from))
    .map(to => ({ node, choices, from, to, price: (to.cost - from.cost) / (floatsOf(from) - floatsOf(to)) }))
}

/** The variant of least cost. */
export function cheapest(choices: readonly Choice[]): Choice {
  return choices.reduce((best, next) => (next.cost < best.cost ? next : best))
}

const floatsOf = ({ floats = 0 }: Choice) => floats

/** Elements of all constants, each once. */
function elementsOf(nodes: readonly Node[]): number {
  const constants = new Set(nodes.flatMap(({ inputs }) => inputs.filter(input => input && isConstant(input))))
  return [...constants].reduce((sum, constant) => sum + constant!.data!.length, 0)
}
