import type { Graph, Node, Value } from '../compiler/graph/index.js'
import { amountsOf, permutation, shapeOf, slicing, transposedWindows, windows } from '../compiler/ops/index.js'
import type { Placement } from './maps.js'
import { pixelsOf } from './maps.js'

/**
 * Where the elements of a layer look: the centres of their receptive fields (Araujo et al., "Computing receptive fields of
 * convolutional neural networks", distill.pub, 2019). Exporters of TensorFlow pad strided layers behind alone, others in front: a
 * map of 7×7 that is stretched over the picture would be half a cell aside.
 */

/** Of one spatial axis: the pixel that the first element looks at, pixels to the next, and how many it sees. */
interface Line {
  readonly axis: number
  readonly start: number
  readonly step: number
  readonly extent: number
}

type Lines = readonly Line[]

/** What an element of a layer sees, in pixels of the input, and where: the centre of the first and the way to the next. */
export interface Field {
  /** Where the elements have their centres. */
  readonly placement: Placement
  /** Columns that an element sees. */
  readonly width: number
  /** Rows that an element sees. */
  readonly height: number
}

/** Undefined where what lies between keeps no places, or none that are known. */
export const placementOf = (graph: Graph, layer: Value, dims: readonly number[]): Placement | undefined =>
  fieldOf(graph, layer, dims)?.placement

/** As `placementOf`, with the size of the receptive field along the longest path. */
export function fieldOf(graph: Graph, layer: Value, dims: readonly number[]): Field | undefined {
  const { channel, height, width } = pixelsOf(dims)
  const first = channel === 1 ? 1 : 2
  const known = new Map<Value, Lines>([
    [graph.inputs[0], [first, first + 1].map(axis => ({ axis, start: 0, step: 1, extent: 1 }))]
  ])
  for (const node of graph.nodes) {
    if (known.has(layer)) break
    const lines = behind(node, known)
    if (lines) for (const output of node.outputs) known.set(output, lines)
  }
  const lines = known.get(layer)
  if (lines?.map(({ axis }) => axis).join() !== '2,3') return undefined
  const [y, x] = lines
  const placement = {
    ...{ left: (x.start + 0.5) / width, top: (y.start + 0.5) / height },
    ...{ across: x.step / width, down: y.step / height }
  }
  return { placement, width: x.extent, height: y.extent }
}

function behind(node: Node, known: ReadonlyMap<Value, Lines>): Lines | undefined {
  const [x] = node.inputs
  const lines = x && known.get(x)
  const sizes = (value: Value) => value.shape.slice(2)
  if (node.op === 'Transpose') {
    const perm = permutation(node)
    return lines?.map(line => ({ ...line, axis: perm.indexOf(line.axis) })).sort((a, b) => a.axis - b.axis)
  }
  if (node.op === 'Pad' && lines) {
    const { begin } = amountsOf(node)
    return lines.map(line => ({ ...line, start: line.start - Number(begin[line.axis]) * line.step }))
  }
  if (node.op === 'Slice' && lines) {
    const { begin, step } = slicing(node)
    return lines.map(({ axis, start, step: by, extent }) => ({
      ...{ axis, start: start + Number(begin[axis]) * by, step: by * step[axis], extent }
    }))
  }
  if (['Conv', 'MaxPool', 'AveragePool'].includes(node.op)) {
    const kernel = node.op === 'Conv' ? shapeOf(node).kernel : node.list('kernel_shape')
    if (!lines || !kernel) return undefined
    const { strides, dilations, padsBegin } = windows(node, sizes(x), kernel)
    return lines.map(({ axis, start, step, extent }, i) => {
      const reach = (kernel[i] - 1) * dilations[i]
      const centre = reach / 2 - Number(padsBegin[i])
      return { axis, start: start + centre * step, step: step * strides[i], extent: extent + reach * step }
    })
  }
  if (node.op === 'ConvTranspose') {
    if (!lines) return undefined
    const { kernel } = shapeOf(node)
    const { strides, dilations, padsBegin } = transposedWindows(node, sizes(x), kernel)
    return lines.map(({ axis, start, step, extent }, i) => {
      const centre = ((kernel[i] - 1) * dilations[i]) / 2 - Number(padsBegin[i])
      // Elements side by side see others around their place: the field has room for all of them.
      const taps = Math.ceil((kernel[i] + strides[i] - 1) / strides[i]) - 1
      const by = step / strides[i]
      return { axis, start: start - centre * by, step: by, extent: extent + taps * step }
    })
  }
  if (node.op === 'Resize' || node.op === 'Upsample')
    return lines?.map(({ axis, start, step, extent }) => {
      const by = (step * Number(x!.shape[axis])) / Number(node.output.shape[axis])
      return { axis, start: start + (by - step) / 2, step: by, extent: extent + step }
    })
  return inherited(node, known)
}

/** The mean of what comes together, of fields the largest, where it stays in its place: axes that are another's are not known any more. */
function inherited(node: Node, known: ReadonlyMap<Value, Lines>): Lines | undefined {
  const { rank, shape } = node.output
  const all = node.inputs.flatMap(input => {
    const lines = input?.rank === rank ? known.get(input) : undefined
    return lines?.every(({ axis }) => input!.shape[axis] === shape[axis]) ? [lines] : []
  })
  if (!all.length || all.some(lines => lines.some(({ axis }, i) => axis !== all[0][i].axis))) return undefined
  const mean = (part: (lines: Lines) => number) => all.reduce((sum, lines) => sum + part(lines), 0) / all.length
  return all[0].map(({ axis }, i) => ({
    ...{ axis, start: mean(lines => lines[i].start), step: mean(lines => lines[i].step) },
    extent: Math.max(...all.map(lines => lines[i].extent))
  }))
}
