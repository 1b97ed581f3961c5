import { pooling } from './pool.js'

export const pool8 = pooling('Pool8', ['steps', 'requantise', 'pool8'])
