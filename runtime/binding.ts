import { CairnError } from './backend.js'
import { type Bindings, evaluate, freeName, show, showShape } from './dims.js'
import type { Header } from './format.js'
import type { Feeds } from './session.js'
import { arrays } from './tensor.js'

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
      if (size < 1 || evaluate(dim, bindings) !== size)
        throw new CairnError(
          `input "${port.name}" has size ${size} on axis ${axis}; it takes ${wanted}${name ? ` with ${name} at least 1 and the same everywhere` : ''}`
        )
    })
  }
  if (header.free.length && header.storages.some(size => evaluate(size, bindings) < 1))
    throw new CairnError(`the model leaves nothing of an input with ${describe(bindings)}; larger sizes are allowed`)
  for (const { a, b, where } of header.constraints) {
    const [left, right] = [evaluate(a, bindings), evaluate(b, bindings)]
    if (left !== right)
      throw new CairnError(
        `${where} cannot join sizes ${left} (${show(a)}) and ${right} (${show(b)}) for ${describe(bindings)}`
      )
  }
  return bindings
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
