export { type Late, LateSession } from './session.js'
export { type Asked, type FedSetting, Variants } from './variants.js'
