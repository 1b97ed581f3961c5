import { softmax } from 'cairnjs'
import type { Output } from '../engine/protocol.js'
import { classMap } from './class-map.js'
import { classes } from './classes.js'
import { fastestdet } from './detectors/fastestdet.js'
import { lists } from './detectors/lists.js'
import { pairs } from './detectors/pairs.js'
import { rows } from './detectors/rows.js'
import { selected } from './detectors/selected.js'
import { yolo } from './detectors/yolo.js'
import { image } from './image.js'
import { mask } from './mask.js'
import { numbers } from './numbers.js'
import { type Fed, type Finding, type Recognise, type RecogniseOne, vectorOf } from './output.js'
import { planes } from './planes.js'
import { points } from './points.js'
import { text } from './text.js'

/** Detectors first: their outputs belong together, and would pass for something else one by one. */
const together: readonly Recognise[] = [selected, lists, rows, pairs, yolo, fastestdet]
const alone: readonly RecogniseOne[] = [text, classes, points, image, mask, classMap, planes]

/** What the outputs mean, each told of once; what is drawn on the picture comes first, plain numbers last. */
export function interpret(outputs: readonly Output[], fed: Fed): Finding[] {
  const findings: Finding[] = []
  let rest = outputs
  for (const recognise of together) {
    const finding = recognise(rest, fed)
    if (!finding) continue
    findings.push(finding)
    rest = rest.filter(({ name }) => !finding.of.includes(name))
  }
  for (const output of rest) findings.push(withoutRepeating(findings, meaningOf(output, fed), output, fed))
  const isPlain = ({ kind }: Finding) => kind === 'numbers' || kind === 'planes'
  return [...findings.filter(finding => !isPlain(finding)), ...findings.filter(isPlain)]
}

function meaningOf(output: Output, fed: Fed): Finding {
  for (const recognise of alone) {
    const finding = recognise(output, fed)
    if (finding) return finding
  }
  return numbers(output, fed)
}

/** Classifiers that give shares and the scores that these come of say the same twice, whatever the scores may pass for. */
function withoutRepeating(findings: readonly Finding[], finding: Finding, output: Output, fed: Fed): Finding {
  if (finding.kind !== 'classes') return finding
  const scores = softmax(vectorOf(output, fed)!)
  const said = findings.find(
    other =>
      other.kind === 'classes' &&
      (areEqual(other.probabilities, finding.probabilities) || areEqual(other.probabilities, scores))
  )
  if (!said) return finding
  return {
    kind: 'numbers',
    of: [output.name],
    output,
    vector: vectorOf(output, fed),
    guess: `says the same as ${said.of[0]}`,
    mayBeClasses: false
  }
}

function areEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]) < 1e-4)
}
