import type { Port } from '../../runtime/file/index.js'
import { fit, type Picture, resize } from '../../runtime/tensor/index.js'
import { parseAugmentations, type Random } from '../../runtime/train/index.js'
import type { Dataset, Trainer } from '../../train/index.js'
import { describePort } from '../model/index.js'
import { type Crops, imageTensor, imageTensors, type Preparation } from '../pictures/index.js'
import { InputError, oneLine, Progress, UsageError } from '../terminal/index.js'

/** Labelled pictures as people keep them: a folder for each class, a .tar of such, or the files of MNIST. */
export interface Pictures {
  readonly classes: readonly string[]
  /** Class, and where the picture is from. */
  readonly labels: readonly number[]
  readonly names: readonly string[]
  /** Which of them are for validation, where the data says so. */
  readonly validation: readonly number[] | undefined
  read(index: number): Picture
  /** Of examples that are a model's inputs already: their shape without a batch, and their elements. */
  readonly shape?: readonly number[]
  tensor?(index: number): Float32Array
}

/** Bytes of decoded pictures that are kept from epoch to epoch. */
const largestKept = 2 ** 30
/** As `largestKept`, of inputs that no augmentation changes. */
const largestReady = 2 ** 29
/** Pictures are kept a little larger than the model sees them, for augmentations to move in. */
const margin = 8 / 7

/** Pictures as a model's inputs: augmented, then resized, cut and normalised as `cairn run` does it. */
export class PictureDataset implements Dataset {
  private readonly kept = new Map<number, Picture>()
  private readonly ready = new Map<number, Float32Array>()
  private bytes = 0
  private readonly augment: ReturnType<typeof parseAugmentations>

  constructor(
    private readonly pictures: Pictures,
    private readonly port: Port,
    private readonly prepare: Preparation,
    private readonly augmentation: string
  ) {
    this.augment = parseAugmentations(augmentation)
    const { shape } = pictures
    if (!shape) return
    const wanted = port.shape.slice(1)
    if (wanted.length !== shape.length || wanted.some((size, i) => typeof size === 'number' && size !== shape[i]))
      throw new InputError(`examples have shape [${shape.join('×')}]; the model takes ${describePort(port)}`)
    if (augmentation) throw new UsageError('--augment is of pictures of bytes, not of floats')
  }

  get labels(): readonly number[] {
    return this.pictures.labels
  }

  get identity(): string {
    return JSON.stringify([this.augmentation, this.prepare, this.pictures.names])
  }

  get augmented(): boolean {
    return this.augmentation !== ''
  }

  input(index: number, random: Random | undefined): Float32Array {
    if (this.pictures.tensor) return this.pictures.tensor(index)
    const ready = random ? undefined : this.ready.get(index)
    if (ready) return ready
    const made = this.made(index, random)
    if (!random && made.byteLength * this.labels.length <= largestReady) this.ready.set(index, made)
    return made
  }

  /** Several parts of a picture, as `cairn run --crops` looks at it. */
  parts(index: number, crops: Crops): Float32Array[] {
    if (this.pictures.tensor) throw new UsageError('--crops are of pictures of bytes, not of floats')
    const tensors = imageTensors(this.pictures.read(index), this.port, this.prepare, crops)
    return tensors.map(({ data }) => Float32Array.from(data as ArrayLike<number>))
  }

  private made(index: number, random: Random | undefined): Float32Array {
    const data = imageTensor(this.picture(index, random), this.port, this.prepare).data
    return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>)
  }

  /** What `input` normalises. */
  picture(index: number, random: Random | undefined): Picture {
    const picture = this.decoded(index)
    return random ? this.augment(picture, random) : picture
  }

  private decoded(index: number): Picture {
    const known = this.kept.get(index)
    if (known) return known
    const picture = this.reduced(this.pictures.read(index))
    if (this.bytes + picture.data.length <= largestKept) {
      this.kept.set(index, picture)
      this.bytes += picture.data.length
    }
    return picture
  }

  /** No larger than the model has use for. */
  private reduced(picture: Picture): Picture {
    const { shape } = this.port
    const sides = shape.slice(1).filter(size => typeof size === 'number' && size > 3) as number[]
    const wanted = Math.ceil(Math.max(...sides, 32) * margin)
    const shorter = Math.min(picture.width, picture.height)
    if (shorter <= wanted) return picture
    const scale = wanted / shorter
    return resize(picture, Math.round(picture.width * scale), Math.round(picture.height * scale))
  }

  /** Decodes everything once, so that a damaged file is told before anything is trained. */
  check(progress: (done: number) => void): void {
    const wrong: string[] = []
    this.pictures.names.forEach((name, index) => {
      try {
        this.decoded(index)
      } catch (error) {
        wrong.push(`${oneLine(error)}${oneLine(error).includes(name) ? '' : ` (${name})`}`)
      }
      progress(index + 1)
    })
    if (!wrong.length) return
    const more = wrong.length > mostTold ? ` and ${wrong.length - mostTold} more` : ''
    throw new InputError(
      `${wrong.slice(0, mostTold).join('; ')}${more}; mend or remove ${wrong.length > 1 ? 'them' : 'it'}`
    )
  }
}

/** Damaged files that one line names. */
const mostTold = 5

/** A square of the picture's middle, for sheets. */
export const thumbnail = (picture: Picture, side = 96): Picture =>
  fit(picture, { width: side, height: side, resize: side })

/** What averaging over several parts of each picture comes to. */
export interface CropsResult {
  readonly crops: Crops
  /** Share of the pictures taken for their class, 0 to 1. */
  readonly accuracy: number
}

/** The best weights on `crops` parts of each of these examples; undefined for one part, or of none. */
export async function evaluateCrops(
  trainer: Trainer,
  examples: readonly number[],
  dataset: PictureDataset,
  crops: Crops
): Promise<CropsResult | undefined> {
  if (crops === 1 || !examples.length) return undefined
  const progress = new Progress(examples.length)
  let right = 0
  for (const [done, index] of examples.entries()) {
    const sums = new Float64Array(trainer.settings.classes.length)
    for (const input of dataset.parts(index, crops))
      (await trainer.predict(input)).forEach((probability, i) => {
        sums[i] += probability
      })
    if (sums.indexOf(Math.max(...sums)) === dataset.labels[index]) right++
    progress.step(done + 1, `${crops} crops`)
  }
  progress.stop()
  return { crops, accuracy: right / examples.length }
}
