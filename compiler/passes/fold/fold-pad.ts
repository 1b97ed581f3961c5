import { isConstant, type Node } from '../../graph/index.js'
import { inferNode } from '../../infer/index.js'
import { intsOf, numbersOf } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'
import { actOf } from '../recognise/match.js'

/** A Pad of spatial axes into the padding of the Conv or pooling that reads it, where the padded values agree. */
export const foldPad: Pass = {
  name: 'fold-pad',
  run(graph) {
    let folded = 0
    for (const node of [...graph.nodes]) {
      if (node.op !== 'Pad') continue
      const users = [...new Set(node.output.users)]
      const pads = spatialPads(node)
      if (!pads || !users.length || graph.isOutput(node.output)) continue
      if (!users.every(user => accepts(user, node))) continue
      for (const user of users) addPads(user, pads)
      graph.bypass(node)
      for (const user of users) inferNode(user)
      folded++
    }
    return count(folded, 'Pad')
  }
}

/** Begins and ends of the spatial axes, when only those are padded, with a constant. */
function spatialPads(node: Node): readonly number[] | undefined {
  if (node.text('mode', 'constant') !== 'constant') return undefined
  const { rank } = node.inputs[0]!
  const given = intsOf(node, 1, 'pads')?.map(pad => (typeof pad === 'number' ? pad : -1))
  const axes = numbersOf(node, 3, 'axes')?.map(axis => (axis < 0 ? axis + rank : axis))
  if (!given || given.some(pad => pad < 0)) return undefined
  const full = new Array<number>(2 * rank).fill(0)
  const padded = axes ?? full.slice(0, rank).map((_, axis) => axis)
  padded.forEach((axis, i) => {
    full[axis] = given[i]
    full[axis + rank] = given[i + padded.length]
  })
  if (full[0] || full[1] || full[rank] || full[rank + 1]) return undefined
  return [...full.slice(2, rank), ...full.slice(rank + 2)]
}

function padValue(node: Node): number | undefined {
  const input = node.inputs[2]
  if (!input) return node.number('value', 0)
  return isConstant(input) ? input.data[0] : undefined
}

function accepts(user: Node, pad: Node): boolean {
  if (user.inputs[0] !== pad.output || user.inputs.filter(input => input === pad.output).length > 1) return false
  const value = padValue(pad)
  if (!['NOTSET', 'VALID'].includes(user.text('auto_pad', 'NOTSET'))) return false
  if (user.op === 'Conv') return value === 0
  if (user.number('ceil_mode', 0)) return false
  const pads = user.list('pads') ?? []
  if (user.op === 'MaxPool') {
    // Zero padding is as good as none where nothing is below zero and every window reads at least one element.
    const source = pad.inputs[0]!.producer
    const positive = source !== undefined && actOf(source) === 'clip' && source.number('alpha', -1) >= 0
    const kernel = user.list('kernel_shape') ?? []
    const total = spatialPads(pad)!.map((size, i) => size + (pads[i] ?? 0))
    const reads = kernel.every((size, i) => total[i] < size && total[i + kernel.length] < size)
    const neutral = value !== undefined && (value <= -3.4e38 || (value === 0 && positive))
    return neutral && reads && (user.list('dilations') ?? []).every(dilation => dilation === 1)
  }
  if (user.op === 'AveragePool')
    return value === 0 && (user.number('count_include_pad', 0) === 1 || pads.every(p => p === 0))
  return false
}

function addPads(user: Node, pads: readonly number[]): void {
  const old = user.list('pads') ?? pads.map(() => 0)
  user.attributes.set(
    'pads',
    pads.map((pad, i) => pad + old[i])
  )
  user.attributes.delete('auto_pad')
  if (user.op === 'AveragePool') user.attributes.set('count_include_pad', 1)
}
