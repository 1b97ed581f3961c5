export { runAveraged } from './averaged.js'
