import { CairnError } from '../base/index.js'
import { numberOf, termsOf } from './terms.js'

/**
 * What the learning rate is multiplied with at a step: `step` counts mini-batches from 0 to `totalSteps` - 1, an epoch
 * has `stepsPerEpoch`; `losses` are those of the epochs so far, of validation where there is any.
 */
export type Schedule = (step: number, totalSteps: number, stepsPerEpoch: number, losses: readonly number[]) => number

export const constant: Schedule = () => 1

/** Times `gamma` behind every `epochs` epochs. */
export const stepDecay =
  (epochs = 10, gamma = 0.1): Schedule =>
  (step, _, stepsPerEpoch) =>
    gamma ** Math.floor(step / (epochs * stepsPerEpoch))

/** Times `gamma` behind every epoch, and between epochs as far as they have come. */
export const exponential =
  (gamma = 0.9): Schedule =>
  (step, _, stepsPerEpoch) =>
    gamma ** (step / stepsPerEpoch)

/** How much smaller a loss has to be to count as better. */
const better = 1 - 1e-4

/** Times `gamma` whenever the loss has not become smaller for more than `patience` epochs, which are then counted anew. */
export const plateau =
  (patience = 3, gamma = 0.1): Schedule =>
  (_step, _total, _perEpoch, losses) => {
    let [best, waited, factor] = [Number.POSITIVE_INFINITY, 0, 1]
    for (const loss of losses) {
      if (loss < best * better) [best, waited] = [loss, 0]
      else if (++waited > patience) [waited, factor] = [0, factor * gamma]
    }
    return factor
  }

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
  return (step, totalSteps, stepsPerEpoch, losses) => {
    const rise = Math.round(unit === 'epochs' ? length * stepsPerEpoch : length)
    return step < rise ? (step + 1) / rise : schedule(step - rise, totalSteps - rise, stepsPerEpoch, losses)
  }
}

/** For help texts. */
export const scheduleHelp =
  'constant, cosine, step=EPOCHS:FACTOR (step=10:0.1), exponential=FACTOR (of an epoch, 0.9), or plateau=EPOCHS:FACTOR (plateau=3:0.1: when the loss has not become smaller for so long); with ,warmup=STEPS or ,warmup=2epochs it rises at first'

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

const factors = { least: 0, most: 1 }

function kindOf(name: string, value: string | undefined): Schedule {
  const what = `schedule ${name}=${value}`
  if (name === 'step' || name === 'plateau') {
    const [epochs = name === 'step' ? '10' : '3', gamma = '0.1', ...rest] = value?.split(':') ?? []
    if (rest.length) throw new CairnError(`${what}: EPOCHS:FACTOR, such as 10:0.1, is allowed`)
    const least = name === 'step' ? 1 : 0
    const every = numberOf(epochs, what, { least, most: Number.POSITIVE_INFINITY, whole: true })
    return (name === 'step' ? stepDecay : plateau)(every, numberOf(gamma, what, factors))
  }
  if (name === 'exponential') return exponential(value === undefined ? undefined : numberOf(value, what, factors))
  const known = name === 'constant' ? constant : name === 'cosine' ? cosine : undefined
  if (!known)
    throw new CairnError(
      `schedule ${name || "''"}: unknown; constant, step=10:0.1, exponential=0.9, plateau=3:0.1, cosine are allowed`
    )
  if (value !== undefined) throw new CairnError(`schedule ${name}=${value}: ${name} takes no value`)
  return known
}
