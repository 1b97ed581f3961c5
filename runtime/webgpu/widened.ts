import { type Argument, type Call, elementsOf, type Header, type Packing } from '../file/index.js'

/**
 * Weights of 8 bits are floats on the GPU from the moment they arrive: what the setup call `widen8` would make of a constant is
 * written in the constant's place, and calls read that.
 */
export interface Widened {
  /** As it is without those setup calls. */
  readonly header: Header
  /** By the constant of whole numbers: the one of their scales, and how they are packed. */
  readonly scales: ReadonlyMap<number, Scales>
}

interface Scales {
  readonly of: number
  readonly packing: Packing
}

export function withoutWidening(header: Header): Widened {
  const scales = new Map<number, Scales>()
  const places = new Map<number, number>()
  const setup = header.setup.filter(({ kernel, parameters, arguments: [w, y, scale] }) => {
    if (header.kernels[kernel].name !== 'widen8') return true
    const [groups, rows, columns, panel] = parameters as number[]
    scales.set(w.index, { of: scale.index, packing: { groups, rows, columns, panel } })
    places.set(y.index, w.index)
    return false
  })
  if (!scales.size) return { header, scales }
  const moved = (argument: Argument): Argument => {
    const index = argument.space === 'derived' ? places.get(argument.index) : undefined
    return index === undefined ? argument : { ...argument, space: 'constant', index }
  }
  const reading = (call: Call): Call => ({ ...call, arguments: call.arguments.map(moved) })
  const constants = header.constants.map((section, i) => ({ ...section, ...scales.get(i)?.packing }))
  return { header: { ...header, constants, setup: setup.map(reading), calls: header.calls.map(reading) }, scales }
}

/** Multiplies weights by their scales as both arrive; scales stand before the weights in a file. */
export class Widener {
  private readonly known = new Map<number, Float32Array>()
  private readonly wanted: ReadonlySet<number>

  constructor(private readonly scales: Widened['scales']) {
    this.wanted = new Set([...scales.values()].map(({ of }) => of))
  }

  /** Keeps scales; gives the floats, not padded yet, of whole numbers, and nothing of other constants. */
  see(index: number, bytes: Uint8Array): Uint8Array | undefined {
    if (this.wanted.has(index)) this.known.set(index, elementsOf('f32', bytes).slice())
    const own = this.scales.get(index)
    if (!own) return undefined
    const { groups, rows, columns, panel } = own.packing
    const factors = this.known.get(own.of)!
    const data = elementsOf('i8', bytes)
    let at = 0
    for (let g = 0; g < groups; g++)
      for (let first = 0; first < columns; first += panel)
        for (let row = 0; row < rows; row++)
          for (let c = first; c < Math.min(first + panel, columns); c++) data[at++] *= factors[g * columns + c]
    return new Uint8Array(data.buffer)
  }
}
