import { CairnError } from '../base/index.js'
import {
  atomOf,
  type Bindings,
  type Constraint,
  type Dim,
  evaluate,
  freeName,
  type Header,
  show,
  showShape
} from '../file/index.js'
import { arrays, type Tensor } from '../tensor/index.js'

/** Values of the free dimensions from the shapes of the inputs, everything else checked against them. */
export function bindInputs(header: Header, feeds: Feeds): Bindings {
  // Without a prototype: a free dimension may have any name.
  const bindings: Record<string, number> = Object.create(null)
  for (const port of header.inputs) {
    const feed = feeds[port.name]
    const wanted = `${port.dtype}${showShape(port.shape)}`
    if (!feed) throw new CairnError(`input "${port.name}" is missing; it takes ${wanted}`)
    if (!Array.isArray(feed.dims) || !holds(feed))
      throw new CairnError(`input "${port.name}" is not a tensor whose dims fit its data; it takes ${wanted}`)
    if (feed.location !== 'gpu-buffer' && feed.type !== port.dtype)
      throw new CairnError(`input "${port.name}" is ${feed.type}; it takes ${wanted}`)
    if (feed.dims.length !== port.shape.length)
      throw new CairnError(
        `input "${port.name}" has ${feed.dims.length} dimensions [${feed.dims.join('×')}]; it takes ${wanted}`
      )
    const inexact =
      /nt\d\d/.test(feed.type) &&
      // biome-ignore lint/suspicious/noDoubleEquals: bigints and numbers are compared exactly so
      (feed.data as BigInt64Array).find(element => Math.fround(Number(element)) != (element as unknown))
    if (inexact) throw new CairnError(`input "${port.name}" has ${inexact}; it takes ${wanted} up to 2^24`)
    port.shape.forEach((dim, axis) => {
      const name = freeName(dim)
      if (name !== undefined) bindings[name] ??= feed.dims[axis]
    })
  }
  for (const port of header.inputs) {
    const wanted = `${port.dtype}${showShape(port.shape)}`
    port.shape.forEach((dim, axis) => {
      const name = freeName(dim)
      const size = feeds[port.name].dims[axis]
      if (!(size >= 0) || evaluate(dim, bindings) !== size)
        throw new CairnError(
          `input "${port.name}" has size ${size} on axis ${axis}; it takes ${wanted}${name ? ` with ${name} the same everywhere` : ''}`
        )
    })
  }
  for (const constraint of header.constraints) {
    const [left, right] = [evaluate(constraint.a, bindings), evaluate(constraint.b, bindings)]
    if (left !== right) throw new CairnError(`${broken(constraint, left, right)} for ${describe(bindings)}`)
  }
  if (header.free.length && header.storages.some(size => !(evaluate(size, bindings) >= 0)))
    throw new CairnError(`the model leaves nothing of an input with ${describe(bindings)}; larger sizes are allowed`)
  return bindings
}

/** What a constraint says of two sizes that are not equal: one that they have no bound for, or that they do not meet. */
function broken({ a, b, where }: Constraint, left: number, right: number): string {
  const op = atomOf(a)?.op
  if (op === 'min' && b === 0) return `${where} leaves nothing of its input; larger sizes are allowed, not those`
  if (op === 'max' && typeof b === 'number')
    return `${where} computes with floats of ${left}; at most ${right} is allowed, not that`
  const [one, other] = [a, b].map(own)
  return `${where} cannot join sizes ${left} (${show(one)}) and ${right} (${show(other)})`
}

/** Of sizes that broadcast, where neither is 1. */
function own(dim: Dim): Dim {
  const atom = atomOf(dim)
  return atom?.op === 'where' ? atom.of[2] : dim
}

/** Whether all outputs of a run are without elements, so that nothing has to run. */
export function leavesNothing(header: Pick<Header, 'outputs'>, bindings: Bindings): boolean {
  return header.outputs.every(({ shape }) => shape.some(dim => evaluate(dim, bindings) === 0))
}

/** Whether a feed, perhaps no tensor of ours, has as many elements as its dims say, as wide as its type; buffers were measured when wrapped. */
function holds(feed: Feeds[string]): boolean {
  if (feed.location === 'gpu-buffer') return true
  const { data, dims, type } = feed
  const count = dims.reduce((a, b) => a * b, 1)
  const width = arrays[type]?.BYTES_PER_ELEMENT
  return data?.length === count && (!width || data.byteLength === count * width)
}

function describe(bindings: Bindings): string {
  return Object.entries(bindings)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

/** Tensors by the name of the input. */
export type Feeds = Readonly<Record<string, Tensor>>
