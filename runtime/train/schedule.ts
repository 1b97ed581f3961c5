import { CairnError } from '../base/index.js'
import { numberOf, termsOf } from './terms.js'

/**
 * What the learning rate is multiplied with at a step: `step` counts mini-batches from 0 to `totalSteps` - 1, an epoch
 * has `stepsPerEpoch`.
 */
export type Schedule = (step: number, totalSteps: number, stepsPerEpoch: number) => number

export const constant: Schedule = () => 1

/** Times `gamma` behind every `epochs` epochs. */
export const stepDecay =
  (epochs = 10, gamma = 0.1): Schedule =>
  (step, _, stepsPerEpoch) =>
    gamma ** Math.floor(step / (epochs * stepsPerEpoch))

/** Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5), without restarts. */
export const cosine: Schedule = (step, totalSteps) =>
  (1 + Math.cos((Math.PI * Math.min(step, totalSteps)) / totalSteps)) / 2

export interface WarmUp {
  readonly length: number
  readonly unit: 'steps' | 'epochs'
}

/**
 * Rises linearly to 1 over the first steps (Goyal et al., "Accurate, large minibatch SGD", 2017, §2.2), then follows
 * `schedule` as if training began there.
 */
export function warmUp(schedule: Schedule, { length, unit }: WarmUp): Schedule {
  return (step, totalSteps, stepsPerEpoch) => {
    const rise = Math.round(unit === 'epochs' ? length * stepsPerEpoch : length)
    return step < rise ? (step + 1) / rise : schedule(step - rise, totalSteps - rise, stepsPerEpoch)
  }
}

/** For help texts. */
export const scheduleHelp =
  'constant, cosine, or step=EPOCHS:FACTOR (step=10:0.1); with ,warmup=STEPS or ,warmup=2epochs it rises at first'

/** A schedule such as `constant`, `step=10:0.1` or `cosine,warmup=1epoch`. Throws CairnError. */
export function parseSchedule(text: string): Schedule {
  const [first, ...options] = termsOf(text)
  let schedule = kindOf(first?.name ?? '', first?.value)
  for (const { name, value = '' } of options) {
    if (name !== 'warmup') throw new CairnError(`schedule ${text}: ${name} is unknown; warmup=STEPS is allowed`)
    const [, length, epochs] = /^(.*?)(epochs?)?$/s.exec(value)!
    const number = numberOf(length, `schedule warmup=${value}`, {
      least: 0,
      most: Number.POSITIVE_INFINITY,
      whole: !epochs
    })
    schedule = warmUp(schedule, { length: number, unit: epochs ? 'epochs' : 'steps' })
  }
  return schedule
}

function kindOf(name: string, value: string | undefined): Schedule {
  if (name === 'step') {
    const [epochs = '10', gamma = '0.1', ...rest] = value?.split(':') ?? []
    const what = `schedule step=${value}`
    if (rest.length) throw new CairnError(`${what}: EPOCHS:FACTOR, such as 10:0.1, is allowed`)
    const every = numberOf(epochs, what, { least: 1, most: Number.POSITIVE_INFINITY, whole: true })
    return stepDecay(every, numberOf(gamma, what, { least: 0, most: 1 }))
  }
  const known = name === 'constant' ? constant : name === 'cosine' ? cosine : undefined
  if (!known) throw new CairnError(`schedule ${name || "''"}: unknown; constant, step=10:0.1, cosine are allowed`)
  if (value !== undefined) throw new CairnError(`schedule ${name}=${value}: ${name} takes no value`)
  return known
}
