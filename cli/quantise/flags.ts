import { imageOptions } from '../pictures/index.js'
import type { Option } from '../terminal/index.js'

/** What says how a model is quantised, alike for all commands that do. */
export const quantiseOptions: readonly Option[] = [
  {
    flag: '--calibrate',
    value: 'DIR|F.npy|N',
    help: 'what ranges are measured on: a folder of pictures, a batch as .npy, or N drawn scenes'
  },
  {
    flag: '--int8-budget',
    value: 'X',
    help: 'largest error of the outputs on that data, RMS over their RMS; what costs most stays float until it holds'
  },
  { flag: '--keep', value: 'NAME', help: 'a layer that stays float (repeatable)' },
  ...imageOptions.map(option => ({ ...option, help: `pictures: ${option.help}` }))
]
