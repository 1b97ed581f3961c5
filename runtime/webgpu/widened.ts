import { type Argument, type Call, elementsOf, type Header } from '../file/index.js'

/**
 * Weights of 8 bits are floats on the GPU from the moment they arrive: what the setup call `widen8` would make of a constant is
 * written in the constant's place, and calls read that.
 */
export interface Widened {
  /** As it is without those setup calls. */
  readonly header: Header
  /** By the constant of whole numbers: the one of their scales, and the sizes of panels. */
  readonly scales: ReadonlyMap<number, Scales>
}

interface Scales {
  readonly of: number
  readonly rows: number
  readonly columns: number
}

export function withoutWidening(header: Header): Widened {
  const scales = new Map<number, Scales>()
  const places = new Map<number, number>()
  const setup = header.setup.filter(({ kernel, parameters, arguments: [w, y, scale] }) => {
    if (header.kernels[kernel].name !== 'widen8') return true
    const [, rows, columns] = parameters as number[]
    scales.set(w.index, { of: scale.index, rows, columns })
    places.set(y.index, w.index)
    return false
  })
  if (!scales.size) return { header, scales }
  const moved = (argument: Argument): Argument => {
    const index = argument.space === 'derived' ? places.get(argument.index) : undefined
    return index === undefined ? argument : { ...argument, space: 'constant', index }
  }
  const reading = (call: Call): Call => ({ ...call, arguments: call.arguments.map(moved) })
  return { header: { ...header, setup: setup.map(reading), calls: header.calls.map(reading) }, scales }
}

/** Multiplies weights by their scales as both arrive; scales stand before the weights in a file. */
export class Widener {
  private readonly known = new Map<number, Float32Array>()
  private readonly wanted: ReadonlySet<number>

  constructor(private readonly scales: Widened['scales']) {
    this.wanted = new Set([...scales.values()].map(({ of }) => of))
  }

  /** Keeps scales, and gives the bytes of floats for whole numbers; other bytes as they are. */
  see(index: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    if (this.wanted.has(index)) this.known.set(index, elementsOf('f32', bytes).slice())
    const own = this.scales.get(index)
    if (!own) return undefined
    const { rows, columns } = own
    const factors = this.known.get(own.of)!
    const data = elementsOf('i8', bytes)
    for (let i = 0; i < data.length; i++) data[i] *= factors[Math.floor(i / (rows * columns)) * columns + (i % columns)]
    return new Uint8Array(data.buffer as ArrayBuffer)
  }
}
