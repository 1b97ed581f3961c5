import { oneByOne } from './quantize.js'

export const lookup = oneByOne('Lookup', ['weights', 'lookup'])
