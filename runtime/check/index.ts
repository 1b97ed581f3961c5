export { checkBound, checkFixed, workOf } from './check.js'
export { admitTraining } from './training.js'
