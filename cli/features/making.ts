import { type AscentOptions, type FeatureLayer, Visualiser } from '../../explain/index.js'
import type { Tensor } from '../../runtime/tensor/index.js'
import { Progress, short } from '../terminal/index.js'
import type { Asked } from './asked.js'
import type { Shown } from './report.js'
import type { Subject } from './subject.js'

/** A picture that was made, and what came of it. */
export interface Made extends Shown {
  readonly value: number
}

/** Steps of a picture where none are given, as `Visualiser` has them. */
const [climbing, inverting] = [128, 256]

/** What excites units of a layer. */
export function maximised(
  subject: Subject,
  { name }: FeatureLayer,
  units: readonly number[],
  asked: Asked
): Promise<Made[]> {
  const progress = new Progress(units.length * (asked.steps ?? climbing))
  return withLayer(subject, name, async visualiser => {
    const made: Made[] = []
    for (const [i, unit] of units.entries()) {
      const { picture, value } = await visualiser.maximise(unit, ascentOf(asked, progress, i))
      made.push({ title: `unit ${unit}`, caption: `${name}, mean ${short(value)}`, picture, value })
    }
    return made
  }).finally(() => progress.stop())
}

/** What layers can hardly tell from an input, which comes first. */
export async function inverted(
  subject: Subject,
  layers: readonly FeatureLayer[],
  input: Tensor,
  asked: Asked
): Promise<Made[]> {
  const progress = new Progress(layers.length * (asked.steps ?? inverting))
  const made: Made[] = [{ title: 'the image', caption: 'as the model sees it', picture: subject.seen(input), value: 0 }]
  try {
    for (const [i, { name }] of layers.entries()) {
      const { picture, value } = await withLayer(subject, name, visualiser =>
        visualiser.invert(input, ascentOf(asked, progress, i))
      )
      made.push({ title: name, caption: `${(100 * value).toFixed(1)} % apart`, picture, value })
    }
  } finally {
    progress.stop()
  }
  return made
}

async function withLayer<T>(
  { bytes, dims, options, range }: Subject,
  layer: string,
  use: (visualiser: Visualiser) => Promise<T>
): Promise<T> {
  const visualiser = await Visualiser.create(bytes, dims, { ...options, ...range, layer })
  try {
    return await use(visualiser)
  } finally {
    await visualiser.release()
  }
}

function ascentOf({ steps, jitter, blur, seed }: Asked, progress: Progress, before: number): AscentOptions {
  return {
    ...{ steps, jitter, blur, seed },
    onStep: (done, total) => progress.step(before * total + done, 'steps')
  }
}
