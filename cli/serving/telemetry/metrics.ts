import type { Registry } from 'prom-client'
import type { Pool, Watch } from '../pool/index.js'
import type { Budget } from '../protocol/index.js'

/** Prometheus' metrics of the server, all named `cairn_…` but for the process's own. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  watch(model: string, version: string): Watch
  /** A request has been answered. */
  answered(labels: { model: string; protocol: 'http' | 'grpc' | 'picture'; code: string }, seconds: number): void
  /** HTTP has said this status, whatever was asked. */
  responded(status: number): void
  memory(model: string, version: string, bytes: number): void
  /** A version does not answer any more. */
  forget(model: string, version: string): void
}

/** Milliseconds between looks at the event loop's delay: each wakes the main thread, which takes a core from an inference. */
const lookEvery = 100

/** Counts that wait, at most. */
const mostWaiting = 256

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export async function metricsOf(pool: Pool, budget: Budget): Promise<Metrics> {
  const prometheus = await import('prom-client')
  const { Counter, Gauge, Histogram } = prometheus.default ?? prometheus
  const register: Registry = new prometheus.Registry()
  const registers = [register]
  prometheus.collectDefaultMetrics({ register, eventLoopMonitoringPrecision: lookEvery })
  // Counted together, when somebody asks or many wait: one by one, between inferences, each would find its code out of the caches.
  const uncounted: (() => void)[] = []
  const countAll = () => {
    for (const count of uncounted.splice(0)) count()
  }
  const later = (count: () => void) => {
    if (uncounted.push(count) >= mostWaiting) countAll()
  }
  const version = ['model', 'version'] as const
  const requests = new Counter({
    name: 'cairn_requests_total',
    help: 'Requests that have been answered, by protocol and status.',
    labelNames: ['model', 'protocol', 'code'] as const,
    registers
  })
  const responses = new Counter({
    name: 'cairn_http_responses_total',
    help: 'Answers over HTTP by their status, refusals before a model was asked among them.',
    labelNames: ['status'] as const,
    registers
  })
  const durations = new Histogram({
    name: 'cairn_request_seconds',
    help: 'From the whole request to its answer.',
    labelNames: ['model', 'protocol'] as const,
    buckets: seconds,
    registers
  })
  const queue = new Gauge({
    name: 'cairn_queue_length',
    help: 'Requests that wait for a thread.',
    labelNames: version,
    registers
  })
  const waiting = new Histogram({
    name: 'cairn_queue_seconds',
    help: 'How long requests have waited for a thread.',
    labelNames: version,
    buckets: seconds,
    registers
  })
  const batches = new Histogram({
    name: 'cairn_batch_size',
    help: 'Rows that were run together.',
    labelNames: version,
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers
  })
  const computing = new Histogram({
    name: 'cairn_compute_seconds',
    help: 'How long runs have taken.',
    labelNames: version,
    buckets: seconds,
    registers
  })
  const memory = new Gauge({
    name: 'cairn_model_memory_bytes',
    help: 'Weights and arenas of a model, in all threads.',
    labelNames: version,
    registers
  })
  const deaths = new Counter({
    name: 'cairn_thread_deaths_total',
    help: 'Threads that have died and been replaced.',
    registers
  })
  new Gauge({
    name: 'cairn_threads',
    help: 'Threads that run models, and those of them that do.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      this.set({ state: 'busy' }, pool.busy)
      this.set({ state: 'all' }, pool.threads)
    }
  })
  new Gauge({
    name: 'cairn_body_bytes',
    help: 'Bodies and messages of requests under way, as far as they have come.',
    registers,
    collect() {
      this.set(budget.held)
    }
  })
  pool.on('died', () => deaths.inc())
  return {
    contentType: register.contentType,
    text() {
      countAll()
      return register.metrics()
    },
    watch(model, version) {
      const labels = { model, version }
      return {
        queued: length => later(() => queue.set(labels, length)),
        began: (rows, waited) =>
          later(() => {
            batches.observe(labels, rows)
            for (const time of waited) waiting.observe(labels, time)
          }),
        ended: time => later(() => computing.observe(labels, time))
      }
    },
    answered: ({ model, protocol, code }, time) =>
      later(() => {
        requests.inc({ model, protocol, code })
        durations.observe({ model, protocol }, time)
      }),
    responded: status => later(() => responses.inc({ status })),
    memory: (model, version, bytes) => memory.set({ model, version }, bytes),
    forget(model, version) {
      countAll()
      for (const metric of [queue, waiting, batches, computing, memory]) metric.remove({ model, version })
    }
  }
}
