import { softmax } from 'cairnjs'
import type { Output } from '../engine/protocol.js'
import { best } from './detectors/suppress.js'
import { areShares, type Fed, type RecogniseOne, type Text } from './output.js'

/** Fewer signs are no alphabet, and fewer steps no line. */
const [leastSigns, leastSteps] = [11, 4]

/**
 * A recogniser of writing gives shares of all signs, step by step: [1, T, C] or [T, 1, C]. The alphabet has no line for the
 * blank, which stands first (PaddleOCR, which adds a space behind its alphabet) or last (Keras, CRNN). Read greedily: the best sign of
 * each step, without repetitions and blanks (Graves et al., "Connectionist temporal classification", 2006).
 */
export const text: RecogniseOne = (output, fed) => {
  const { dims } = output
  const found = dims.length === 3 && (dims[0] === 1 || dims[1] === 1) && output.type.startsWith('float')
  const [steps, signs] = [Math.max(dims[0], dims[1]), dims[2]]
  if (!found || steps < leastSteps || signs < leastSigns) return undefined
  const rows = Array.from({ length: steps }, (_, step) => output.data.subarray(step * signs, (step + 1) * signs))
  const alphabet = alphabetOf(signs, fed)
  const shares = rows.every(row => areShares(row) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 0.02)
  if (!shares && !alphabet) return undefined
  return { kind: 'text', of: [output.name], steps, signs, read: alphabet && read(output, rows, shares, alphabet) }
}

/** What of the given lists may be the alphabet of so many signs. */
function alphabetOf(signs: number, { knowledge: { own, inFile } }: Fed): readonly string[] | undefined {
  return [own, inFile].find(list => list && list.length >= signs - 2 && list.length <= signs)
}

function read(
  { data }: Output,
  rows: readonly Float32Array[],
  shares: boolean,
  alphabet: readonly string[]
): Text['read'] {
  const signs = rows[0].length
  const steps = rows.map((row, step) => {
    const { index } = best(data, step * signs, signs)
    return { index, score: shares ? row[index] : softmax(row)[index] }
  })
  const count = (index: number) => steps.filter(step => step.index === index).length
  const blank = alphabet.length < signs && count(signs - 1) > count(0) && !isPaddles(alphabet, signs) ? signs - 1 : 0
  const before = blank === 0 && alphabet.length < signs ? 1 : 0
  const kept = steps.filter(({ index }, step) => index !== blank && index !== steps[step - 1]?.index)
  const written = kept.map(({ index }) => alphabet[index - before] ?? ' ').join('')
  return { text: written, score: kept.length ? kept.reduce((sum, { score }) => sum + score, 0) / kept.length : 0 }
}

/** Two signs more than the alphabet has lines: the blank in front and a space behind. */
const isPaddles = (alphabet: readonly string[], signs: number) => alphabet.length === signs - 2
