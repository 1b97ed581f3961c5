import { spread } from '../../compiler/quantise/index.js'
import { decode } from '../../runtime/file/index.js'
import { InferenceSession } from '../../runtime/index.js'
import type { Picture } from '../../runtime/tensor/index.js'
import { deviceOptions, sessionOptionsOf } from '../device/index.js'
import { about, describePort, labelsOption, namesFor } from '../model/index.js'
import { imagePort, imageTensor, type Preparation } from '../pictures/index.js'
import { count, type Flags, InputError, longName, type Option, oneLine, Progress, table } from '../terminal/index.js'
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
  { flag: '--limit', value: 'N', help: 'with --evaluate: at most N pictures, spread over the data' },
  ...[labelsOption, ...deviceOptions].map(option => ({ ...option, help: `with --evaluate: ${option.help}` }))
]

/** Of no use where nothing is evaluated. */
export const evaluatingNames = evaluateOptions.map(longName).filter(name => name !== 'evaluate')

/** A model in floats, compiled, and what is known of it. */
export interface Subject {
  readonly path: string
  readonly float: Uint8Array
  /** Names of its classes, where it says some. */
  readonly names: readonly string[] | undefined
  readonly prepare: Preparation
}

export interface Evaluation extends Omit<Comparison, 'worst'> {
  readonly data: string
  /** Pictures that there were to choose from. */
  readonly of: number
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

/** Labelled pictures and the model in floats, tried on one of them: what is wrong with either has been said. */
export interface Evaluating {
  /** Runs both; `path` is where the quantised one is. */
  compare(int8: Uint8Array, path: string): Promise<Evaluation>
  end(): Promise<void>
}

/** Opens what `--evaluate` names, as the flags of pictures and devices say. */
export async function openEvaluation(
  { path, float, names, prepare }: Subject,
  data: string,
  flags: Flags
): Promise<Evaluating> {
  const limit = flags.whole('limit')
  const options = await sessionOptionsOf(flags)
  const { header } = decode(float)
  if (header.inputs.length !== 1)
    throw new InputError(`${path} takes ${header.inputs.map(describePort).join(', ')}; one picture is allowed`)
  const asking = { flag: `--evaluate ${data}`, instead: 'models that take one picture are allowed' }
  const port = await about(path, () => imagePort(header, prepare.layout, asking))
  const { pictures, leftOut, cleanUp } = await openData(data, '--evaluate')
  const dataset = new PictureDataset(pictures, port, prepare, '')
  const all = pictures.validation ?? pictures.labels.map((_, i) => i)
  const chosen = spread(all, all.length, limit ?? all.length)
  const unread = new Set<number>()
  const input = (index: number) => {
    if (unread.has(index)) return undefined
    let picture: Picture
    try {
      picture = dataset.picture(index, undefined)
    } catch (error) {
      unread.add(index)
      leftOut.add(oneLine(error).replace(`${pictures.names[index]}: `, ''), pictures.names[index])
      return undefined
    }
    return { [port.name]: imageTensor(picture, port, prepare) }
  }
  const session = await about(path, () => InferenceSession.create(float, options))
  const end = async () => {
    await session.release()
    cleanUp()
  }
  try {
    const first = chosen.find(index => input(index))
    if (first === undefined)
      throw new InputError(`--evaluate ${data}: no pictures that can be read (${leftOut.summary()})`)
    const scores = await about(path, async () => scoresOf(await session.run(input(first)!), header))
    const wanted = { data, wanted: pictures.classes, names, total: scores.count }
    const matching = await about(path, () => matchClasses(wanted))
    const compare = async (int8: Uint8Array, int8Path: string): Promise<Evaluation> => {
      const progress = new Progress(chosen.length, 'lines')
      const other = await about(int8Path, () => InferenceSession.create(int8, options))
      try {
        const comparison = await about(int8Path, () =>
          compareAccuracy(
            { float: session, int8: other },
            scores,
            {
              names: chosen.map(index => pictures.names[index]),
              labels: chosen.map(index => matching.classes[pictures.labels[index]]),
              input: at => input(chosen[at])
            },
            done => progress.step(done, 'evaluating')
          )
        )
        const classes = pictures.classes.map((name, i) => ({ name, index: matching.classes[i] }))
        const truths = new Map(classes.map(({ name, index }) => [index, name]))
        return {
          ...comparison,
          ...{ data, of: all.length, classes, matched: matching.by },
          ...{ validation: Boolean(pictures.validation), leftOut: leftOut.list() },
          worst: comparison.worst.map(({ label, ...rest }) => ({ ...rest, truth: truths.get(label)! })),
          ...{ names: names && namesFor(names, scores.count), matching: describeMatching(matching, Boolean(names)) }
        }
      } finally {
        progress.stop()
        await other.release()
      }
    }
    return { compare, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** For programs. */
export function evaluationFacts({ names: _, matching: _text, ...facts }: Evaluation) {
  return facts
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`

/** For people. */
export function evaluationText(evaluation: Evaluation): string {
  const { data, images, of, classes, matching, validation, leftOut, float, int8, agreement } = evaluation
  const row = (name: string, { top1, top5, ms }: typeof float) => [name, percent(top1), percent(top5), ms.toFixed(2)]
  const lost = (float.top1 - int8.top1) * 100
  const kept = validation ? ', those that the data keeps for validation' : ''
  return [
    ...leftOut.map(each => `left out of ${data}: ${each.count} × ${each.reason} (${each.examples.join(', ')})`),
    `${count(images)}${images < of ? ` of ${count(of)}` : ''} images of ${count(classes.length)} classes${kept}; ${matching}`,
    table(['', 'top-1', 'top-5', 'ms an image'], [row('float', float), row('int8', int8)], figures),
    `top-1 ${changeOf(lost)}; both give the same class for ${percent(agreement)} of the images`,
    ...worstText(evaluation)
  ].join('\n')
}

/** A few of the figures, as facts. */
export function evaluationRows({ float, int8, agreement, images, data }: Evaluation): [string, string][] {
  return [
    ['top-1 in floats', `${percent(float.top1)} of ${count(images)} images of ${data}`],
    ['top-1 in int8', percent(int8.top1)],
    ['same class', `${percent(agreement)} of the images`]
  ]
}

function changeOf(lost: number): string {
  if (!lost) return 'stays'
  return `${lost > 0 ? 'falls' : 'rises'} by ${Math.abs(lost).toFixed(2)} points`
}

const figures = ['left', 'right', 'right', 'right'] as const

function worstText({ worst, classes, names }: Evaluation): string[] {
  if (!worst.length) return ['no image gets other probabilities']
  const own = new Map(classes.map(({ name, index }) => [index, name]))
  const indices = new Map(classes.map(({ name, index }) => [name, index]))
  const nameOf = (index: number) => names?.[index] ?? own.get(index) ?? `class ${index}`
  const answer = ({ class: index, confidence }: { class: number; confidence: number }) =>
    `${nameOf(index)} ${percent(confidence)}`
  const rows = worst.map(({ name, truth, float, int8 }) => [
    name,
    nameOf(indices.get(truth)!),
    answer(float),
    answer(int8)
  ])
  const header = ['they differ most on', 'which is', 'float says', 'int8 says']
  return ['', table(header, rows, ['left', 'left', 'left', 'left'])]
}
