import { type QuantiseReport, quantise } from '../../compiler/quantise/index.js'
import { about, externalDataOf, type ModelFile } from '../model/index.js'
import { preparationOf } from '../pictures/index.js'
import { type Flags, Progress, UsageError } from '../terminal/index.js'
import { calibrationOf } from './calibration.js'

/** A quantised model, and what is to be said of it. */
export interface QuantisedModel {
  /** QDQ ONNX, with all external data taken in. */
  readonly model: ModelFile
  readonly report: QuantiseReport
  /** The calibration data in words. */
  readonly data: string
  readonly notes: readonly string[]
}

/** What a bar counts: runs of the model, of which only calibration's number is known before. */
const guessedRounds = 8

/** The ONNX model quantised as the flags say (`quantiseOptions`); `calibrate` is the value of --calibrate. */
export async function quantiseModel(model: ModelFile, calibrate: string, flags: Flags): Promise<QuantisedModel> {
  const budget = flags.number('int8-budget')
  if (budget !== undefined && budget < 0)
    throw new UsageError(`--int8-budget ${budget}: a number of at least 0 is allowed`)
  const { feeds, what, notes } = await calibrationOf(model, calibrate, preparationOf(flags))
  const count = typeof feeds === 'number' ? feeds : feeds.length
  const progress = new Progress(count * guessedRounds)
  let runs = 0
  let report: QuantiseReport | undefined
  const told: string[] = [...notes]
  try {
    const bytes = await about(model.path, () =>
      quantise(model.bytes, {
        shapes: model.shapes,
        externalData: externalDataOf(model.path),
        calibrate: feeds,
        budget,
        keep: flags.all('keep'),
        onNote: note => told.push(note),
        onRun: doing => progress.step(Math.min(++runs, count * guessedRounds), doing),
        onReport: made => {
          report = made
        }
      })
    )
    return { model: { ...model, bytes }, report: report!, data: what, notes: told }
  } finally {
    progress.stop()
  }
}
