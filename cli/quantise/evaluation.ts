import { decode } from '../../runtime/file/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { deviceOptions, sessionOptionsOf } from '../device/index.js'
import { about, describePort, labelsOf, labelsOption, ownClasses } from '../model/index.js'
import { imagePort, imageTensor, preparationOf } from '../pictures/index.js'
import { count, type Flags, InputError, type Option, Progress, table } from '../terminal/index.js'
import { openData, PictureDataset } from '../train/index.js'
import { type Comparison, compareAccuracy, type Difference, scoresOf } from './evaluate.js'
import { describeMatching, type Matching, matchClasses } from './match.js'

/** What says on which pictures a quantised model is measured, and how it runs there. */
export const evaluateOptions: readonly Option[] = [
  {
    flag: '--evaluate',
    value: 'DATA',
    help: 'measure float and int8 on labelled pictures: one folder a class, a .tar of such, or the IDX files of MNIST'
  },
  {
    flag: '--quantised',
    value: 'FILE',
    help: 'with --evaluate: an int8 .onnx or .cairn of the model that is there already'
  },
  { ...labelsOption, help: `with --evaluate: ${labelsOption.help}` },
  ...deviceOptions
]

/** A model in floats and what quantising has made of it, both compiled; `path` is the first one's, for what it refuses. */
export interface Pair {
  readonly path: string
  readonly float: Uint8Array
  readonly int8: Uint8Array
}

export interface Evaluation extends Omit<Comparison, 'worst'> {
  readonly data: string
  /** The classes of the data, which of the model's each is, and by what that was told. */
  readonly classes: readonly { readonly name: string; readonly index: number }[]
  readonly matched: Matching['by']
  /** Whether the data keeps these pictures apart from those that train. */
  readonly validation: boolean
  /** Files of the data that are no pictures, by reason. */
  readonly leftOut: readonly { readonly reason: string; readonly count: number; readonly examples: readonly string[] }[]
  readonly worst: readonly (Omit<Difference, 'label'> & { readonly truth: string })[]
  /** The model's own names, where it has some. */
  readonly names: readonly string[] | undefined
  readonly matching: string
}

/** Runs both on labelled pictures, as `--evaluate` and the flags of pictures and devices say. */
export async function evaluatePair({ path, float, int8 }: Pair, data: string, flags: Flags): Promise<Evaluation> {
  const options = await sessionOptionsOf(flags)
  const prepare = preparationOf(flags)
  const names = labelsOf(flags) ?? (await ownClasses(path))
  const { header } = decode(float)
  if (header.inputs.length !== 1)
    throw new InputError(`${path} takes ${header.inputs.map(describePort).join(', ')}; one picture is allowed`)
  const port = imagePort(header, prepare.layout)
  const { pictures, leftOut, cleanUp } = await openData(data, '--evaluate')
  const dataset = new PictureDataset(pictures, port, prepare, '')
  const chosen = pictures.validation ?? pictures.labels.map((_, i) => i)
  const input = (index: number) => ({ [port.name]: imageTensor(dataset.picture(index, undefined), port, prepare) })
  const sessions = {
    float: await about(path, () => InferenceSession.create(float, options)),
    int8: await InferenceSession.create(int8, options)
  }
  const progress = new Progress(chosen.length)
  try {
    const scores = await about(path, async () => scoresOf(await sessions.float.run(input(chosen[0])), header))
    const matching = matchClasses({ data, wanted: pictures.classes, names, total: scores.count })
    const comparison = await compareAccuracy(
      sessions,
      scores,
      {
        names: chosen.map(index => pictures.names[index]),
        labels: chosen.map(index => matching.classes[pictures.labels[index]]),
        input: at => input(chosen[at])
      },
      done => progress.step(done, 'evaluating')
    )
    const classes = pictures.classes.map((name, i) => ({ name, index: matching.classes[i] }))
    const truths = new Map(classes.map(({ name, index }) => [index, name]))
    return {
      ...comparison,
      ...{ data, classes, matched: matching.by, validation: Boolean(pictures.validation), leftOut: leftOut.list() },
      worst: comparison.worst.map(({ label, ...rest }) => ({ ...rest, truth: truths.get(label)! })),
      ...{ names, matching: describeMatching(matching, Boolean(names)) }
    }
  } finally {
    progress.stop()
    await Promise.all([sessions.float.release(), sessions.int8.release()])
    cleanUp()
  }
}

/** For programs. */
export function evaluationFacts({ names: _, matching: _text, ...facts }: Evaluation) {
  return facts
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`

/** For people. */
export function evaluationText(evaluation: Evaluation): string {
  const { data, images, classes, matching, validation, leftOut, float, int8, agreement } = evaluation
  const row = (name: string, { top1, top5, ms }: typeof float) => [name, percent(top1), percent(top5), ms.toFixed(2)]
  const lost = (float.top1 - int8.top1) * 100
  const kept = validation ? ', those that the data keeps for validation' : ''
  return [
    ...leftOut.map(each => `left out of ${data}: ${each.count} × ${each.reason} (${each.examples.join(', ')})`),
    `${count(images)} images of ${count(classes.length)} classes${kept}; ${matching}`,
    table(['', 'top-1', 'top-5', 'ms an image'], [row('float', float), row('int8', int8)], figures),
    `top-1 ${changeOf(lost)}; both give the same class for ${percent(agreement)} of the images`,
    ...worstText(evaluation)
  ].join('\n')
}

function changeOf(lost: number): string {
  if (!lost) return 'stays'
  return `${lost > 0 ? 'falls' : 'rises'} by ${Math.abs(lost).toFixed(2)} points`
}

const figures = ['left', 'right', 'right', 'right'] as const

function worstText({ worst, classes, names }: Evaluation): string[] {
  if (!worst.length) return ['no image gets other probabilities']
  const own = new Map(classes.map(({ name, index }) => [index, name]))
  const answer = ({ class: index, confidence }: { class: number; confidence: number }) =>
    `${own.get(index) ?? names?.[index] ?? `class ${index}`} ${percent(confidence)}`
  const rows = worst.map(each => [each.name, each.truth, answer(each.float), answer(each.int8)])
  const header = ['they differ most on', 'which is', 'float says', 'int8 says']
  return ['', table(header, rows, ['left', 'left', 'left', 'left'])]
}
