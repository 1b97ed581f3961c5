export { features } from './command.js'
