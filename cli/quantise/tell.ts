import { count, type Flags, facts, print, printJson, printNotes, table } from '../terminal/index.js'
import { type Evaluation, evaluationFacts, evaluationText } from './evaluation.js'
import type { QuantisedModel } from './quantise-model.js'
import { layerHeader, layerRows, quantisedFacts } from './tables.js'

/** What was quantised, and what came of it. */
interface Written {
  readonly path: string
  readonly output: string
  /** The page, where one was asked for. */
  readonly report?: string
  readonly bytes: number
  readonly onnxBytes: number
  /** On labelled pictures, where some were named. */
  readonly evaluation?: Evaluation
}

/** Says what each layer loses and what was decided; notes on standard error. */
export function tell(
  { path, output, report: page, bytes, onnxBytes, evaluation }: Written,
  quantised: QuantisedModel,
  flags: Flags
): void {
  const { report, data, weightBits, notes } = quantised
  printNotes(path, notes)
  if (flags.has('json')) {
    printJson({
      ...{ model: path, output, page, bytes, onnxBytes, data, weightBits, notes },
      ...report,
      evaluation: evaluation && evaluationFacts(evaluation)
    })
    return
  }
  const header = layerHeader(report)
  const align = header.map((_, i) => (i < 2 || i === header.length - 1 ? 'left' : 'right'))
  print(table(header, layerRows(report), align))
  print('\nSQNR alone: decibels of the layer over its error where it alone is quantised; least first')
  if (header.length > 4) print('error alone: what the outputs are off by where it alone is quantised')
  const file = `${output}, ${count(bytes)} bytes (float ONNX: ${count(onnxBytes)})`
  print(`\n${facts([...quantisedFacts(quantised), ['file', file], ...(page ? [['report', page] as const] : [])])}`)
  if (evaluation) print(`\n${evaluationText(evaluation)}`)
}
