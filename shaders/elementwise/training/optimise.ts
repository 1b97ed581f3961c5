import { listed } from './dropout.js'

export const sgd = listed('Sgd', 'optimise', 'sgd')
export const adam = listed('Adam', 'optimise', 'adam')
