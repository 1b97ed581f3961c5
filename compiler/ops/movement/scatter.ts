import { type Dim, same } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { loopDepth } from '../axes.js'
import { copyUnless } from '../elementwise/elementwise.js'
import { describe, fields, kernel, loopsOver, numbered, type Op } from '../op.js'
import { areChecked, checkIndices } from '../search/bounds.js'
import { visit } from '../visit.js'
import { axisFor } from './gather.js'

/** What becomes of an element and its update; the position in this list is the kernel's `kind`. */
export const scatterings = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: (old, update) => Math.max(old, update),
  min: (old, update) => Math.min(old, update)
} satisfies Record<string, (old: number, update: number) => number>

/**
 * Lines of `size` elements that lie yStep apart take `count` updates each, in order, where their indices say. Negative
 * indices count from the end; what is still outside is left out, for a run that fails (`bounds`). Loops k go over lines, which have nothing in common.
 */
export const scatterKernel = kernel({
  name: 'scatter',
  fields: {
    kind: 'u32',
    size: 'u32',
    count: 'u32',
    iStep: 'u32',
    uStep: 'u32',
    yStep: 'u32',
    ...fields('k', loopDepth),
    ...fields('i', loopDepth),
    ...fields('u', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { indices: 'read', updates: 'read', y: 'write' },
  reference(p, { indices, updates, y }) {
    const combine = Object.values(scatterings)[p.kind]
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const i = k[0] * p.i0 + k[1] * p.i1 + k[2] * p.i2 + k[3] * p.i3
      const u = k[0] * p.u0 + k[1] * p.u1 + k[2] * p.u2 + k[3] * p.u3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      for (let j = 0; j < p.count; j++) {
        const given = Math.trunc(indices[i + j * p.iStep]) || 0
        const at = given < 0 ? given + p.size : given
        if (at < 0 || at >= p.size) continue
        const place = to + at * p.yStep
        y[place] = combine(y[place], updates[u + j * p.uStep])
      }
    })
  }
})

export function scatteringOf(node: Node): number {
  const name = node.text('reduction', 'none')
  const names = Object.keys(scatterings)
  if (names.includes(name)) return names.indexOf(name)
  throw refuse(node, `reduction is ${name}; ${names.join(', ')} are allowed`)
}

function like(node: Node): void {
  scatteringOf(node)
  node.output.shape = node.inputs[0]!.shape
  node.output.dtype = node.inputs[0]!.dtype
}

/** An index that leaves every axis. */
const beyond = 2 ** 24

/** An index for every update, or with `rows` one for all that stand in a row of axis 0. */
function scatterOp(infer: Op['infer'], rows: boolean): Op {
  return {
    required: 3,
    infer,
    inPlace: [0],
    countedAxis: (_, index, axis) => (index === 0 ? axis : undefined),
    behind(node, index, axis) {
      if (index === 0 || axis !== axisFor(node)) return undefined
      return index === 1 ? beyond : 'anything'
    },
    takes: node => rows || areChecked(node, node.inputs[1], [node.inputs[0]!.shape[axisFor(node)]]),
    lower(node, to) {
      const [x, indices, updates] = node.inputs.map(input => to.view(input!))
      const y = to.view(node.output)
      const axis = axisFor(node)
      const steps = rows ? updates.shape.map((_, other) => (other === 0 ? indices.strides[0] : 0)) : indices.strides
      const lines = y.order.filter(other => other !== axis)
      const loops = loopsOver(updates.shape, lines, [steps, updates.strides, y.strides], loopDepth)
      if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops over its other axes`)
      copyUnless(node, to, x, node.output)
      to.call(
        scatterKernel,
        {
          kind: scatteringOf(node),
          size: y.shape[axis],
          count: updates.shape[axis],
          iStep: steps[axis],
          uStep: updates.strides[axis],
          yStep: y.strides[axis],
          ...numbered('k', loops.sizes),
          ...numbered('i', loops.strides[0]),
          ...numbered('u', loops.strides[1]),
          ...numbered('y', loops.strides[2])
        },
        { indices, updates, y }
      )
    }
  }
}

function inferElements(node: Node): void {
  const [x, indices, updates] = node.inputs as Value[]
  const fits = updates.rank === x.rank && indices.rank === x.rank
  if (!fits || !indices.shape.every((size, axis) => node.expectEqual(size, updates.shape[axis])))
    throw refuse(
      node,
      `indices ${describe(indices)} and updates ${describe(updates)} must have the same shape, of ${x.rank} axes`
    )
  const axis = axisFor(node)
  const larger = (size: Dim, other: number) => other !== axis && !fitsInto(size, x.shape[other])
  if (indices.shape.some(larger)) throw refuse(node, `indices ${describe(indices)} reach beyond ${describe(x)}`)
  checkIndices(`${node.op} "${node.name}"`, indices, [axis], [x.shape[axis]])
  like(node)
}

const fitsInto = (a: Dim, b: Dim) => same(a, b) || (typeof a === 'number' && typeof b === 'number' && a <= b)

export const scattering: Record<string, Op> = {
  /** As ScatterElements was called before opset 11. */
  Scatter: scatterOp(inferElements, false),
  ScatterElements: scatterOp(inferElements, false),
  /** Rows of x [rows, inner] by indices [count] and updates [count, inner]: what ScatterND and MaxUnpool become. */
  ScatterRows: scatterOp(like, true)
}
