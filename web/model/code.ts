import { numbersFor, type PicturePort, type Preparation, resizedFor } from '../photo/prepare.js'

/** An open model as a program of somebody else's would run it. */
export interface Used {
  /** Of the .cairn file. */
  readonly file: string
  readonly inputs: readonly {
    readonly name: string
    readonly type: string
    readonly shape: readonly (number | string)[]
  }[]
  readonly port: PicturePort | undefined
  readonly preparation: Preparation
  /** Height and width of the last input, for models that leave them free. */
  readonly size: { readonly height: number; readonly width: number }
  readonly result: UsedResult
}

/** The output that counts. */
export interface UsedResult {
  readonly name: string
  readonly type: string
  /** How scores of classes become shares; undefined for outputs that are none. */
  readonly given: 'shares' | 'logarithms' | 'scores' | 'independent' | undefined
  readonly labels: readonly string[] | undefined
}

/** A module of the package `cairnjs` for bundlers, or a page's own script that takes the runtime from a folder beside it. */
export type Form = 'npm' | 'script'

/** Where the page's script finds the runtime: the package's folder dist/runtime, copied beside the page as `cairn`. */
const runtime = './cairn/cairn.min.js'

/** More text than this is a file of its own. */
const inlineLabels = 240

export const needsLabelsFile = ({ result: { labels } }: Used) =>
  labels !== undefined && JSON.stringify(labels).length > inlineLabels

export const labelsFile = ({ file }: Used) => file.replace(/\.cairn$/, '-labels.json')

export function codeFor(used: Used, form: Form): string {
  const lines = [...labelLines(used), ...sessionLines(used), ...pictureLines(used), ...runLines(used)]
  const names = ['copyFloats', 'InferenceSession', 'Tensor', 'topK']
  const imported = names.filter(name => lines.some(line => new RegExp(`\\b${name}\\b`).test(line)))
  const from = form === 'npm' ? 'cairnjs' : runtime
  const module = [`import { ${imported.join(', ')} } from '${from}'`, '', ...lines].join('\n')
  if (form === 'npm') return `${module}\n`
  const told = `// ${runtime} is dist/runtime/cairn.min.js of the package, its folder copied beside this page`
  return `<script type="module">\n${told}\n${module.replaceAll('</', '<\\/')}\n</script>\n`
}

const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`
const address = (file: string) => text(`./${encodeURIComponent(file)}`)
const list = (values: readonly (number | string)[]) =>
  `[${values.map(value => (typeof value === 'string' ? text(value) : value)).join(', ')}]`
const numbers = (values: readonly number[]) => (values.length === 1 ? String(values[0]) : list(values))
const property = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name))
const member = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${text(name)}]`)

function labelLines(used: Used): string[] {
  const { labels } = used.result
  if (!labels) return []
  if (!needsLabelsFile(used)) return [`const labels = ${list(labels)}`]
  return [`const labels = await (await fetch(${address(labelsFile(used))})).json()`]
}

const sessionLines = ({ file }: Used) => [`const session = await InferenceSession.create(${address(file)})`]

function pictureLines({ port, preparation, size }: Used): string[] {
  if (!port) return []
  const { height, width } = size
  const load = "const photo = await createImageBitmap(await (await fetch('./photo.jpg')).blob()) // yours"
  const options = `  ${fitOptions(preparation, height, width)},\n  ${valueOptions(port, preparation)}`
  if (preparation.fit !== 'pad') return [load, `const image = await session.imageTensor(photo, {\n${options}\n})`]
  return [
    load,
    `const side = Math.max(photo.width / ${width}, photo.height / ${height})`,
    `const canvas = new OffscreenCanvas(${width} * side, ${height} * side)`,
    "const context = canvas.getContext('2d')",
    "context.fillStyle = '#727272'",
    'context.fillRect(0, 0, canvas.width, canvas.height)',
    'context.drawImage(photo, 0, 0)',
    `const image = await session.imageTensor(canvas, {\n${options}\n})`
  ]
}

function fitOptions({ fit }: Preparation, height: number, width: number): string {
  const how = fit === 'stretch' || fit === 'pad' ? 'stretch: true' : `resize: ${resizedFor(fit, height, width)}`
  return `width: ${width}, height: ${height}, ${how}`
}

function valueOptions(port: PicturePort, preparation: Preparation): string {
  const { channels, scale, mean, std } = numbersFor(port, preparation)
  const factor = [255, 127.5].find(each => scale === 1 / each)
  return [
    `layout: '${port.layout}'`,
    `channels: '${channels}'`,
    ...(scale === 1 ? [] : [`scale: ${factor ? `1 / ${factor}` : scale}`]),
    ...(mean.every(each => each === 0) ? [] : [`mean: ${numbers(mean)}`]),
    ...(std.every(each => each === 1) ? [] : [`std: ${numbers(std)}`])
  ].join(', ')
}

function runLines(used: Used): string[] {
  const { inputs, port, result } = used
  const isBare = inputs.length === 1 && port !== undefined && isPlain(port)
  const entries = inputs.map(({ name, type, shape }) =>
    name === port?.name ? `${property(name)}: ${imageValue(used)}` : `${property(name)}: ${yours(type, shape)}`
  )
  const feeds = isBare ? `{ ${entries[0]} }` : `{\n  ${entries.join(',\n  ')}\n}`
  const { name, type, given, labels } = result
  const print = `console.log(${labels ? 'labels[index]' : 'index'}, score)`
  if (given && given !== 'logarithms') {
    const options = [`output: ${text(name)}`, ...(given === 'scores' ? ['softmax: true'] : [])].join(', ')
    return [
      `const [best] = await session.top(${feeds}, { ${options} })`,
      `for (const { index, score } of best) ${print}`
    ]
  }
  const tensor = `results${member(name)}`
  const data = type === 'float32' ? `${tensor}.data` : `copyFloats(${tensor})`
  const run = `const results = await session.run(${feeds})`
  if (!given) return [run, `console.log(${tensor}.dims, ${data})`]
  return [run, `for (const { index, score } of topK(${data}.map(Math.exp), 5)) ${print}`]
}

const isPlain = ({ batch, type }: PicturePort) => batch === 1 && type === 'float32'

/** A model that takes several pictures is given the same one several times. */
function imageValue({ port, size: { height, width } }: Used): string {
  const { batch, type, layout, channels } = port!
  if (isPlain(port!)) return 'image'
  const dims = layout === 'NCHW' ? [batch, channels, height, width] : [batch, height, width, channels]
  const one = '...(await image.getData())'
  const all = batch > 1 ? `new Array(${batch}).fill([${one}]).flat()` : `[${one}]`
  return `new Tensor('${type}', ${all}, ${list(dims)})`
}

/** Numbers that only the reader has. */
function yours(type: string, shape: readonly (number | string)[]): string {
  const dims = shape.map(dim => (typeof dim === 'number' ? dim : 1))
  const count = dims.reduce((a, b) => a * b, 1)
  return `new Tensor('${type}', new Array(${count}).fill(${type.endsWith('int64') ? '0n' : '0'}), ${list(dims)}) /* yours */`
}
