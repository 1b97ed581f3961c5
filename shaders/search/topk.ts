import { type Block, each, list, named, product, type Shader } from '../dispatch.js'

const rowsOf = (p: Block) => product(...named(p, 'k', 4))

export const topk: Shader = {
  block: 'Topk',
  scratch: p => rowsOf(p) * p.taken,
  dispatches(p) {
    const common = { files: ['index', 'loops', 'topk'], vector: false } as const
    return [
      { ...common, entry: 'choose', groups: each(rowsOf(p)) },
      { ...common, entry: 'rank', groups: list(rowsOf(p) * p.taken) }
    ]
  }
}
