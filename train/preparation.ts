/**
 * How the pictures that a head was trained on became inputs: whoever runs it does the same. An element is
 * (byte * scale - mean) / std; the layout of the axes is the model's own.
 */
export interface ImagePreparation {
  /** Of a model with one channel `GRAY`. */
  readonly channels: 'RGB' | 'BGR' | 'GRAY'
  /** What a byte is multiplied with first. */
  readonly scale: number
  /** One number, or one a channel in the order of `channels`. */
  readonly mean: readonly number[]
  /** One number, or one a channel in the order of `channels`; none of them 0. */
  readonly std: readonly number[]
  /** What becomes of a picture with other proportions: the centre is cut out, it is stretched, or padded with grey. */
  readonly fit: 'crop' | 'stretch' | 'pad'
  /** Pixels of the shorter side before the centre is cut out; 8/7 of what is cut without it. */
  readonly resize?: number
  /** Height and width where the model leaves them free. */
  readonly size?: readonly [number, number]
}

/** Whether a value, read from a file that may come from anywhere, is one. */
export function isPreparation(value: unknown): value is ImagePreparation {
  if (!value || typeof value !== 'object') return false
  const { channels, scale, mean, std, fit, resize, size } = value as Partial<ImagePreparation>
  const isSide = (side: unknown) => Number.isSafeInteger(side) && (side as number) > 0
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && [1, channels === 'GRAY' ? 1 : 3].includes(list.length) && list.every(Number.isFinite)
  return (
    ['RGB', 'BGR', 'GRAY'].includes(channels!) &&
    Number.isFinite(scale) &&
    isList(mean) &&
    isList(std) &&
    !std.includes(0) &&
    ['crop', 'stretch', 'pad'].includes(fit!) &&
    (resize === undefined || isSide(resize)) &&
    (size === undefined || (Array.isArray(size) && size.length === 2 && size.every(isSide)))
  )
}
