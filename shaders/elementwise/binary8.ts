import { oneByOne } from './quantize.js'

export const binary8 = oneByOne('Binary8', ['steps', 'requantise', 'binary8'])
