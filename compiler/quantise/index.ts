export { quantise } from './quantise.js'
