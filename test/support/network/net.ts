// The state of a random network while it grows: the maps so far, and the layers that may follow one.
import { type Attributes, float, type ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

/** A spatial size: what it is for the smallest binding, and how it came about; equal keys are equal at every binding. */
export interface Size {
  readonly now: number
  readonly key: string
}

/** A value of four axes: batch, channels, height, width. */
export interface FeatureMap {
  readonly name: string
  readonly c: number
  readonly h: Size
  readonly w: Size
}

export const sameSpace = (a: FeatureMap, b: FeatureMap) => a.h.key === b.h.key && a.w.key === b.w.key
export const sameMap = (a: FeatureMap, b: FeatureMap) => a.c === b.c && sameSpace(a, b)
export const area = ({ h, w }: FeatureMap) => h.now * w.now

const channelCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24]

export class Net {
  readonly maps: FeatureMap[] = []

  constructor(
    readonly model: ModelBuilder,
    readonly random: Random,
    /** Whether height and width are numbers. */
    readonly fixed: boolean
  ) {}

  keep(map: FeatureMap): FeatureMap {
    this.maps.push(map)
    return map
  }

  /** Mostly the newest map, sometimes any. */
  any(): FeatureMap {
    return this.random.chance(0.65) ? this.maps[this.maps.length - 1] : this.random.pick(this.maps)
  }

  channels(): number {
    return this.random.pick(channelCounts)
  }

  /** The same map under another name, after an operator that keeps its shape. */
  like(
    map: FeatureMap,
    op: string,
    operands: readonly (string | undefined)[] = [],
    attributes: Attributes = {}
  ): FeatureMap {
    return { ...map, name: this.model.add(op, [map.name, ...operands], attributes) }
  }

  perChannel(c: number, low = -1, high = 1): string {
    return this.model.weights([c, 1, 1], [low, high])
  }

  conv(x: FeatureMap, filters = this.channels(), kind = this.random.int(0, 9)): FeatureMap {
    const { random, model } = this
    const plain = kind === 0
    const groups = this.groupsFor(x.c, filters, kind)
    const out = groups === x.c && kind === 1 ? x.c * random.pick([1, 1, 1, 2]) : Math.ceil(filters / groups) * groups
    const [h, w] = ([x.h, x.w] as const).map(size => this.window(size, plain))
    const attributes: Record<string, Attributes[string]> = {
      kernel_shape: [h.kernel, w.kernel],
      strides: [h.stride, w.stride],
      dilations: [h.dilation, w.dilation]
    }
    const auto = random.chance(0.1) && h.dilation === 1 && w.dilation === 1
    const mode = random.pick(['SAME_UPPER', 'SAME_LOWER'])
    if (auto) attributes.auto_pad = mode
    else attributes.pads = [h.before, w.before, h.after, w.after]
    if (groups > 1) attributes.group = groups
    const fan = (x.c / groups) * h.kernel * w.kernel
    const weights = model.weights([out, x.c / groups, h.kernel, w.kernel], [-2 / Math.sqrt(fan), 2 / Math.sqrt(fan)])
    const bias = random.chance(0.6) ? model.weights([out]) : undefined
    const name = model.add('Conv', bias ? [x.name, weights, bias] : [x.name, weights], attributes)
    const sizes = (
      [
        [x.h, h],
        [x.w, w]
      ] as const
    ).map(([size, window]) => (auto ? divided(size, window.stride) : windowed(size, window)))
    return { name, c: out, h: sizes[0], w: sizes[1] }
  }

  private groupsFor(c: number, filters: number, kind: number): number {
    if (kind === 1) return c
    if (kind > 3) return 1
    const divisors = Array.from({ length: c }, (_, i) => i + 1).filter(g => c % g === 0 && g <= filters)
    return this.random.pick(divisors)
  }

  /** A window that fits: kernel, stride, dilation and padding of one axis. */
  window({ now }: Size, plain = false) {
    const { random } = this
    if (plain) return { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 }
    const kernel = random.pick([1, 1, 2, 3, 3, 3, 3, 4, 5, 7])
    const dilation = random.pick([1, 1, 1, 1, 2, 3])
    const stride = random.pick([1, 1, 1, 2, 2, 3])
    const extent = (kernel - 1) * dilation + 1
    const half = Math.floor(extent / 2)
    const same = random.chance(0.5)
    let before = same ? half : random.int(0, extent)
    let after = same ? extent - 1 - half : random.int(0, extent)
    while (now + before + after < extent) random.chance(0.5) ? before++ : after++
    return { kernel, stride, dilation, before, after }
  }

  pool(x: FeatureMap): FeatureMap {
    const { random } = this
    const [h, w] = ([x.h, x.w] as const).map(({ now }) => {
      const kernel = random.int(1, Math.min(4, now))
      const [before, after] = [random.int(0, kernel - 1), random.int(0, kernel - 1)]
      return { kernel, stride: random.int(1, 3), dilation: 1, before, after }
    })
    // What a last window that begins in the padding counts for has changed between opsets.
    const clear = (size: Size, w: Window) =>
      windowed(size, w, true).now === Math.ceil((size.now + w.before + w.after - w.kernel) / w.stride) + 1
    const ceil = this.fixed && clear(x.h, h) && clear(x.w, w) && random.chance(0.4)
    const attributes: Attributes = {
      kernel_shape: [h.kernel, w.kernel],
      strides: [h.stride, w.stride],
      pads: [h.before, w.before, h.after, w.after],
      ...(ceil ? { ceil_mode: 1 } : {})
    }
    const average = random.chance(0.5)
    const include: Attributes = average && random.chance(0.5) ? { count_include_pad: 1 } : {}
    const name = this.model.add(average ? 'AveragePool' : 'MaxPool', [x.name], { ...attributes, ...include })
    return { name, c: x.c, h: windowed(x.h, h, ceil), w: windowed(x.w, w, ceil) }
  }

  norm(x: FeatureMap, shared?: readonly string[]): FeatureMap {
    return this.like(x, 'BatchNormalization', shared ?? this.statistics(x.c), {
      epsilon: float(this.random.pick([1e-5, 1e-3, 0.1]))
    })
  }

  statistics(c: number): string[] {
    const { model } = this
    return [model.weights([c], [0.5, 1.5]), model.weights([c]), model.weights([c]), model.weights([c], [0.3, 2])]
  }

  transposedConv(x: FeatureMap): FeatureMap {
    const { random, model } = this
    const groups = random.chance(0.3) ? random.pick([1, x.c]) : 1
    const filters = groups > 1 ? random.int(1, 3) : this.channels()
    const axis = (size: Size) => {
      const kernel = random.int(1, 4)
      const stride = random.int(1, 3)
      const extra = stride > 1 ? random.int(0, stride - 1) : 0
      const most = Math.min(kernel - 1, 2)
      const [before, after] = [random.int(0, most), random.int(0, most)]
      const now = (size.now - 1) * stride + extra + kernel - before - after
      if (now < 1) return { kernel, stride, extra, before: 0, after: 0, now: (size.now - 1) * stride + extra + kernel }
      return { kernel, stride, extra, before, after, now }
    }
    const [h, w] = [axis(x.h), axis(x.w)]
    const fan = (x.c / groups) * h.kernel * w.kernel
    const inputs = [
      x.name,
      model.weights([x.c, filters, h.kernel, w.kernel], [-2 / Math.sqrt(fan), 2 / Math.sqrt(fan)])
    ]
    if (random.chance(0.6)) inputs.push(model.weights([filters * groups]))
    const name = model.add('ConvTranspose', inputs, {
      kernel_shape: [h.kernel, w.kernel],
      strides: [h.stride, w.stride],
      pads: [h.before, w.before, h.after, w.after],
      output_padding: [h.extra, w.extra],
      group: groups
    })
    const [hKey, wKey] = (
      [
        [x.h, h],
        [x.w, w]
      ] as const
    ).map(([s, a]) => `t(${s.key},${a.stride},${a.extra + a.kernel - a.before - a.after})`)
    return { name, c: filters * groups, h: { now: h.now, key: hKey }, w: { now: w.now, key: wKey } }
  }
}

interface Window {
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

/** The size behind a convolution or pooling. */
export function windowed(size: Size, { kernel, stride, dilation, before, after }: Window, ceil = false): Size {
  const extent = (kernel - 1) * dilation + 1
  const room = size.now + before + after - extent
  let now = Math.floor(room / stride) + 1
  if (ceil) {
    now = Math.ceil(room / stride) + 1
    if ((now - 1) * stride >= size.now + before) now--
  }
  const unchanged = stride === 1 && before + after === extent - 1
  return { now, key: unchanged ? size.key : `w(${size.key},${extent},${stride},${before},${after},${ceil})` }
}

export function divided(size: Size, by: number): Size {
  return by === 1 ? size : { now: Math.ceil(size.now / by), key: `d(${size.key},${by})` }
}
