export { checkBound, checkFixed, workOf } from './check.js'
