export { type Metrics, metricsOf } from './metrics.js'
export { type Carrier, type Note, noTraces, type Traces, tracesOf } from './traces.js'
