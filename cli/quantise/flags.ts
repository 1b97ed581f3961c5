import { imageOptions } from '../pictures/index.js'
import { type Flags, longName, type Option, UsageError } from '../terminal/index.js'
import { sourceOf } from './calibration.js'

/** What says how a model is quantised, alike for all commands that do. */
const quantising: readonly Option[] = [
  {
    flag: '--int8-budget',
    value: 'X',
    help: 'largest error of the outputs on that data, RMS over their RMS; what costs most stays float until it holds'
  },
  { flag: '--keep', value: 'NAME', help: 'a layer that stays float (repeat the flag for several)' },
  {
    flag: '--weight-bits',
    value: '7|8',
    help: 'bits of the weights (default 8); onnxruntime sums 7 exactly on processors without VNNI as well'
  }
]

export const quantiseOptions: readonly Option[] = [
  {
    flag: '--calibrate',
    value: 'DIR|FILE|N',
    help: 'what ranges are measured on: a folder of pictures (of one with train/ and val/ the first), a picture, a batch as .npy, or N drawn scenes'
  },
  ...quantising,
  ...imageOptions.map(option => ({
    ...option,
    help: `pictures: ${option.help}${longName(option) === 'size' ? ', up to 512 a side for ranges' : ''}`
  }))
]

const preparing = imageOptions.map(longName)

/** Flags of no use where nothing is quantised. */
export const quantisingNames = quantising.map(longName)

export interface Quantising {
  readonly budget: number | undefined
  readonly keep: readonly string[]
  readonly weightBits: 7 | 8
}

export function quantisingOf(flags: Flags): Quantising {
  const budget = flags.number('int8-budget')
  if (budget !== undefined && budget < 0)
    throw new UsageError(`--int8-budget ${budget}: a number of at least 0 is allowed`)
  const weightBits = flags.choice('weight-bits', ['7', '8'], '8')
  return { budget, keep: flags.all('keep'), weightBits: weightBits === '7' ? 7 : 8 }
}

/** Refuses flags that would change nothing: those of pictures where none are read, those of quantising where nothing is quantised. */
export function checkQuantising(flags: Flags): void {
  const calibrate = flags.text('calibrate')
  quantisingOf(flags)
  if (calibrate === undefined) flags.refuse([...quantisingNames, ...preparing], 'without --calibrate')
  else if (['batch', 'scenes'].includes(sourceOf(calibrate)) && !flags.says('evaluate'))
    flags.refuse(preparing, `with --calibrate ${calibrate}: pictures alone are prepared`)
}
