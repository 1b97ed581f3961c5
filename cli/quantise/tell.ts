import { count, type Flags, facts, print, printJson, table } from '../terminal/index.js'
import { type Evaluation, evaluationFacts, evaluationText } from './evaluation.js'
import type { QuantisedModel } from './quantise-model.js'
import { layerHeader, layerRows, quantisedFacts } from './tables.js'

/** What was quantised, and what came of it. */
interface Written {
  readonly path: string
  readonly output: string
  readonly bytes: number
  readonly onnxBytes: number
  /** On labelled pictures, where some were named. */
  readonly evaluation?: Evaluation
}

/** Says what each layer loses and what was decided; notes on standard error. */
export function tell(
  { path, output, bytes, onnxBytes, evaluation }: Written,
  quantised: QuantisedModel,
  flags: Flags
): void {
  const { report, data, notes } = quantised
  for (const note of notes) process.stderr.write(`cairn: ${path}: ${note}\n`)
  if (flags.has('json')) {
    printJson({
      model: path,
      output,
      bytes,
      onnxBytes,
      data,
      notes,
      ...report,
      evaluation: evaluation && evaluationFacts(evaluation)
    })
    return
  }
  print(table([...layerHeader], layerRows(report), ['left', 'left', 'right', 'left']))
  print('\nSQNR alone: decibels of the layer over its error where it alone is quantised; least first\n')
  const file = `${output}, ${count(bytes)} bytes (float ONNX: ${count(onnxBytes)})`
  print(facts([...quantisedFacts(report, data), ['file', file]]))
  if (evaluation) print(`\n${evaluationText(evaluation)}`)
}
