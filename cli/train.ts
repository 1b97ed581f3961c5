import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, extname, resolve } from 'node:path'
import { build, compile as compileModel } from '../compiler/index.js'
import { decode, type Port } from '../runtime/file/index.js'
import { Random } from '../runtime/train/index.js'
import { applyPatch, type EpochRecord, type FitResult, Trainer, type TrainerOptions } from '../train/index.js'
import { openDevice } from './device/index.js'
import { about, externalDataOf, readBytes, readModel, writeWhole } from './model/index.js'
import {
  contactSheet,
  cropsOf,
  imagePort,
  type Preparation,
  pngOf,
  preparationOf,
  rememberedFor
} from './pictures/index.js'
import {
  type Command,
  type Flags,
  InputError,
  jsonOption,
  Progress,
  print,
  printJson,
  UsageError
} from './terminal/index.js'
import {
  checkInt8,
  checkTraining,
  evaluateCrops,
  findRate,
  int8Accuracy,
  type Job,
  nearest,
  openData,
  PictureDataset,
  type Pictures,
  type Places,
  quantiseAfter,
  thumbnail,
  trainerOptionsOf,
  trainOptions,
  writeReport
} from './train/index.js'

/** `cairn train`: a new head for a network, its last blocks with it, or all of it, from folders of images. */
export const train: Command = {
  name: 'train',
  usage: '<model>',
  summary: 'Train a new classifier head on folders of images, and the last blocks with it.',
  options: [...trainOptions, jsonOption],
  examples: [
    'mobilenet_v2.onnx --data photos --epochs 15 --unfreeze 4 --augment flip,shift -o signs.onnx',
    'lenet5.onnx --data fashion-mnist --initialise he --epochs 12 -o fashion.cairn --report fashion.html'
  ],

  async run([path], flags) {
    const data = flags.text('data')
    if (data === undefined) throw new UsageError('--data DIR is missing: a folder with one folder of images a class')
    const places = placesOf(path, flags)
    checkModes(flags)
    checkInt8(flags)
    const options = trainerOptionsOf(flags, threadsOf(flags))
    const prepare = preparationOf(flags)
    cropsOf(flags)
    const model = readModel(path)
    if (model.kind === 'cairn' && extname(places.out) === '.onnx')
      throw new UsageError(`--out ${places.out}: of a compiled model a .patch or a .cairn can be written`)
    if (model.kind === 'cairn' && flags.has('int8'))
      throw new UsageError(`--int8: ${path} is compiled already; an ONNX model is allowed`)
    const { pictures, leftOut, cleanUp } = await openData(data)
    process.once('exit', cleanUp)
    if (!flags.has('json')) leftOut.print(data)
    const external = { externalData: externalDataOf(path) }
    const header = () => (model.kind === 'cairn' ? decode(model.bytes).header : build(model.bytes, external).program)
    const port = await about(path, () => imagePort(header(), prepare.layout))
    const shapes = shapesOf(port, prepare)
    const dataset = new PictureDataset(pictures, port, prepare, flags.text('augment') ?? '')
    const job: Job = { path, flags, places, pictures, leftOut, dataset, split: splitOf(flags, pictures) }
    const sheet = flags.text('show-augment')
    if (sheet !== undefined) return showAugmentations(sheet, job)
    checkPictures(job)
    await openDevice(options.device ?? 'wasm')
    const trainer = await about(path, () =>
      Trainer.create(model.bytes, {
        ...options,
        ...external,
        shapes,
        preparation: pictures.tensor ? undefined : rememberedFor(port, prepare),
        epochs: options.epochs ?? usualEpochs(job, options),
        classes: pictures.classes
      })
    )
    if (trainer.choice && !flags.has('json')) print(`on ${trainer.settings.device}: ${trainer.choice}`)
    if (flags.has('check')) await checkTraining(trainer, job)
    else if (flags.has('find-lr')) await findRate(trainer, job)
    else if (flags.text('knn') !== undefined) await nearest(trainer, job, flags.whole('knn')!)
    else await fit(trainer, job, model.bytes)
    await trainer.release()
  }
}

/** Few images make few steps an epoch: as many epochs as give enough of them. */
function usualEpochs({ pictures }: Job, { batchSize = 32, unfreeze, initialise }: Partial<TrainerOptions>): number {
  const whole = Boolean(unfreeze) || initialise !== undefined
  const [steps, most] = whole ? [600, 60] : [2000, 200]
  return Math.min(Math.max(Math.ceil(steps / Math.ceil(pictures.labels.length / batchSize)), 15), most)
}

/** Each of these does its own thing, and trains nothing. */
function checkModes(flags: Flags): void {
  const given = [
    ...['check', 'find-lr'].filter(name => flags.has(name)),
    ...['knn', 'show-augment'].filter(name => flags.text(name) !== undefined)
  ]
  if (given.length > 1) throw new UsageError(`${given.map(name => `--${name}`).join(' and ')} exclude each other`)
}

/** One size for all images, where the model leaves it free. */
function shapesOf({ name, shape }: Port, { size }: Preparation): Record<string, number[]> | undefined {
  if (shape.slice(1).every(side => typeof side === 'number')) return undefined
  if (!size) throw new UsageError(`input "${name}" leaves its size free; give one for all images, as --size 224`)
  const sides = [...size]
  return { [name]: shape.map((side, axis) => (axis === 0 ? 1 : typeof side === 'number' ? side : sides.shift()!)) }
}

function placesOf(path: string, flags: Flags): Places {
  const out =
    flags.text('out') ??
    basename(path)
      .replace(/\.(onnx|cairn)$/i, '')
      .concat('.patch')
  const kind = extname(out)
  if (!['.patch', '.cairn', '.onnx'].includes(kind))
    throw new UsageError(`--out ${out}: a name that ends in .patch, .cairn or .onnx is allowed`)
  if (resolve(out) === resolve(path)) throw new UsageError(`--out ${out} would overwrite the model`)
  return { out, checkpoint: flags.text('checkpoint') ?? `${out}.checkpoint` }
}

function threadsOf(flags: Flags): number {
  const threads = flags.whole('threads') ?? Math.min(availableParallelism(), 4)
  if (threads > 16) throw new UsageError(`--threads ${threads}: a whole number from 1 to 16 is allowed`)
  return threads
}

/** Validation that the data brings, or a share of each class, groups of pictures kept together. */
function splitOf(flags: Flags, { labels, names, validation }: Pictures): Job['split'] {
  const share = flags.number('validation')
  const pattern = flags.text('groups')
  if (validation && share === undefined && pattern === undefined) {
    const taken = new Set(validation)
    return { training: labels.flatMap((_, i) => (taken.has(i) ? [] : [i])), validation: [...validation] }
  }
  let groups: string[] | undefined
  if (pattern !== undefined) {
    let matcher: RegExp
    try {
      matcher = new RegExp(pattern)
    } catch (error) {
      throw new UsageError(`--groups ${pattern}: ${(error as Error).message}`)
    }
    groups = names.map(name => {
      const found = matcher.exec(name)
      return found ? (found[1] ?? found[0]) : name
    })
  }
  return { validation: share, groups, seed: flags.whole('seed', 0) }
}

function checkPictures({ dataset, pictures }: Job): void {
  const progress = new Progress(pictures.labels.length)
  dataset.check(done => progress.step(done, 'reading images'))
  progress.stop()
}

/** Rows of one image each: as it is, and seven times augmented. */
function showAugmentations(path: string, { dataset, pictures, flags }: Job): void {
  if (!flags.text('augment')) throw new UsageError('--show-augment needs --augment LIST')
  const random = new Random(flags.whole('seed', 0) ?? 0)
  const some = random.shuffle(pictures.labels.map((_, i) => i)).slice(0, 6)
  const cells = some.flatMap(index => [
    dataset.picture(index, undefined),
    ...Array.from({ length: 7 }, (_, i) => dataset.picture(index, random.fork(`${index} ${i}`)))
  ])
  writeWhole(
    path,
    pngOf(
      contactSheet(
        cells.map(cell => thumbnail(cell)),
        8
      )
    )
  )
  print(`wrote ${path}: ${some.length} images, each as it is and 7 times augmented`)
}

/** Milliseconds between checkpoints, for networks whose epochs are shorter. */
const checkpointEvery = 1000

async function fit(trainer: Trainer, job: Job, model: Uint8Array): Promise<void> {
  const { flags, places, pictures, leftOut, dataset, path } = job
  const json = flags.has('json')
  const metrics = flags.text('metrics')
  if (metrics !== undefined && !flags.has('resume')) writeFileSync(metrics, '')
  if (flags.has('resume') && !existsSync(places.checkpoint))
    throw new InputError(`--resume: there is no checkpoint ${places.checkpoint}`)
  const resume = flags.has('resume') ? readBytes(places.checkpoint, 'checkpoint') : undefined
  if (!resume && !json && existsSync(places.checkpoint))
    print(
      `begins anew; the checkpoint of an earlier training, ${places.checkpoint}, is replaced (--resume goes on with it)`
    )
  const interrupt = new AbortController()
  const stop = () => {
    if (interrupt.signal.aborted) process.exit(130)
    process.stderr.write('cairn: stopping behind this step, the best weights are kept (once more: at once)\n')
    interrupt.abort()
  }
  process.on('SIGINT', stop)
  if (!json) print(introduction(trainer, job))
  let latest: Uint8Array | undefined
  let kept = 0
  const keep = () => {
    if (latest) writeWhole(places.checkpoint, latest)
    latest = undefined
    kept = Date.now()
  }
  let features: Progress | undefined
  let steps: Progress | undefined
  const result = await trainer.fit(dataset, {
    split: job.split,
    resume,
    signal: interrupt.signal,
    onFeatures(done, total) {
      features ??= new Progress(total)
      features.step(done, 'features of the frozen layers')
      if (done === total) features.stop()
    },
    onStep(done, total, loss) {
      steps ??= new Progress(total)
      steps.step(done, `loss ${loss.toFixed(4)}`)
    },
    onEpoch(record) {
      steps?.stop()
      steps = undefined
      if (metrics !== undefined) appendFileSync(metrics, `${JSON.stringify(record)}\n`)
      if (!json) print(epochLine(record, trainer.settings.epochs))
    },
    onCheckpoint(checkpoint) {
      latest = checkpoint
      if (Date.now() - kept > checkpointEvery) keep()
    }
  })
  steps?.stop()
  process.off('SIGINT', stop)
  if (!result.history.length) throw new InputError(`nothing was trained: ${result.stopped}`)
  const crops = await evaluateCrops(trainer, result.split.validation, dataset, cropsOf(flags))
  const int8 = flags.has('int8') ? await quantiseAfter(trainer, result, job) : undefined
  const patch = trainer.patch()
  const external = externalDataOf(path)
  const whole = async () => int8?.model ?? applyPatch(model, patch, { externalData: external })
  const kind = extname(places.out)
  const written = kind === '.patch' ? patch : await whole().then(bytes => (kind === '.cairn' ? compiled(bytes) : bytes))
  writeWhole(places.out, written)
  const report = flags.text('report')
  if (report !== undefined) await writeReport(report, trainer, result, job)
  if (result.stopped !== undefined) keep()
  else if (existsSync(places.checkpoint)) rmSync(places.checkpoint)
  const { validation, bestEpoch, history, stopped, warnings } = result
  if (json)
    return printJson({
      model: path,
      out: places.out,
      bytes: written.length,
      classes: pictures.classes,
      leftOut: leftOut.list(),
      cut: trainer.cut,
      bestEpoch,
      accuracy: validation?.accuracy,
      loss: validation?.loss,
      confusion: validation?.confusion,
      validating: result.split.validation.length,
      crops,
      int8: int8 && { float: int8.float, before: int8.before, after: int8.after, accuracy: int8Accuracy(int8) },
      history,
      stopped,
      warnings
    })
  for (const warning of warnings) print(`warning: ${warning}`)
  if (stopped !== undefined)
    print(`stopped: ${stopped}${/told to stop/.test(stopped) ? '; the same command with --resume goes on' : ''}`)
  print(summary(result, places.out, written.length))
  if (crops) print(`mean of ${crops.crops} crops: validation accuracy ${percent(crops.accuracy)} ${validating(result)}`)
  if (int8) print(int8Summary(int8Accuracy(int8), result, kind))
  if (report !== undefined) print(`wrote ${report}`)
}

const compiled = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new TextDecoder().decode(bytes.subarray(0, 4)) === 'CARN' ? bytes : compileModel(bytes)

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

function introduction({ cut, settings }: Trainer, { pictures }: Job): string {
  const what = settings.scratch
    ? 'the whole network from scratch'
    : cut.trained
      ? `a new head and the last ${cut.trained} of ${plural(cut.blocks, 'block')}`
      : `a new head on "${cut.features}"; ${cut.blocks ? `${plural(cut.blocks, 'block')} in front of it` : 'all in front of it'} stay frozen`
  return `training ${what}: ${pictures.labels.length} images of ${pictures.classes.length} classes, ${plural(settings.epochs, 'epoch')} of ${settings.optimizer}`
}

const percent = (share: number | undefined) => (share === undefined ? '–' : `${(share * 100).toFixed(2)} %`)

function epochLine(record: EpochRecord, epochs: number): string {
  const { epoch, trainLoss, trainAccuracy, validationLoss, validationAccuracy, seconds } = record
  const left = (epochs - epoch) * seconds
  const validation =
    validationLoss === undefined ? '' : `, validation ${validationLoss.toFixed(4)} ${percent(validationAccuracy)}`
  return `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(4)} ${percent(trainAccuracy)}${validation}, ${seconds.toFixed(1)} s${left > 5 ? `, about ${left.toFixed(0)} s left` : ''}`
}

const validating = ({ split }: FitResult) => `of ${plural(split.validation.length, 'image')}`

function summary(result: FitResult, out: string, bytes: number): string {
  const { bestEpoch, validation } = result
  const accuracy = validation
    ? `: validation accuracy ${percent(validation.accuracy)} ${validating(result)}, loss ${validation.loss.toFixed(4)}`
    : ''
  return `best epoch ${bestEpoch}${accuracy}\nwrote ${out}: ${(bytes / 1024).toFixed(1)} KiB`
}

/** What the file is worth that was written: the line above is of floats, before any fine-tuning. */
function int8Summary(accuracy: number, result: FitResult, kind: string): string {
  const share = `validation accuracy ${percent(accuracy)} ${validating(result)}`
  return kind === '.patch' ? `it holds floats; quantised: ${share}` : `it computes with 8 bits: ${share}`
}
