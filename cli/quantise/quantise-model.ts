import { type QuantiseReport, quantise } from '../../compiler/quantise/index.js'
import { about, importOf, type ModelFile } from '../model/index.js'
import type { Preparation } from '../pictures/index.js'
import { type Flags, Progress } from '../terminal/index.js'
import { calibrationOf } from './calibration.js'
import { quantisingOf } from './flags.js'

/** A quantised model, and what is to be said of it. */
export interface QuantisedModel {
  /** QDQ ONNX, with all external data taken in. */
  readonly model: ModelFile
  readonly report: QuantiseReport
  /** Bits of the weights. */
  readonly weightBits: 7 | 8
  /** The calibration data in words. */
  readonly data: string
  readonly notes: readonly string[]
}

/** What a bar counts: runs of the model, of which only calibration's number is known before. */
const guessedRounds = 8

/** The ONNX model quantised as the flags say (`quantiseOptions`); `calibrate` is the value of --calibrate. */
export async function quantiseModel(
  model: ModelFile,
  calibrate: string,
  prepare: Preparation,
  flags: Flags
): Promise<QuantisedModel> {
  const { budget, keep, weightBits } = quantisingOf(flags)
  let reading: Progress | undefined
  const { feeds, what, notes } = await calibrationOf(model, calibrate, prepare, (done, total) => {
    reading ??= new Progress(total, 'lines')
    reading.step(done, 'reading pictures')
  })
  reading?.stop()
  const count = typeof feeds === 'number' ? feeds : feeds.length
  const progress = new Progress(count * guessedRounds, 'lines')
  let runs = 0
  let report: QuantiseReport | undefined
  const told: string[] = [...notes]
  try {
    const bytes = await about(model.path, () =>
      quantise(model.bytes, {
        ...importOf(model),
        ...{ calibrate: feeds, budget, keep, weightBits },
        onNote: note => told.push(note),
        onRun: doing => progress.step(Math.min(++runs, count * guessedRounds), doing),
        onReport: made => {
          report = made
        }
      })
    )
    // What was set is a constant of it now.
    const given = { ...model.given, settings: {} }
    return { model: { ...model, bytes, given }, report: report!, weightBits, data: what, notes: told }
  } finally {
    progress.stop()
  }
}
