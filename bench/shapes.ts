// Writes bench/shapes/NETWORK.txt for every network of the zoo, or for those that are named: the layers that cost time,
// as the compiler's passes leave them. `npm run bench:shapes [networks]`; the grammar is at the head of layers.ts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from '../compiler/index.js'
import { zoo } from '../models/index.js'
import { type Layer, showLayer, showLine } from './layers/layers.js'
import { inputShape, pickNetworks } from './networks.js'

const folder = fileURLToPath(new URL('../../bench/shapes/', import.meta.url))
const names = pickNetworks(process.argv.slice(2), Object.keys(zoo))

type Node = ReturnType<typeof build>['graph']['nodes'][number]

/** ONNX's names, in the grammar's spelling where it is another. */
const ops: Readonly<Record<string, string>> = {
  Conv: 'conv',
  ConvTranspose: 'convtranspose',
  Gemm: 'gemm',
  MaxPool: 'maxpool',
  AveragePool: 'avgpool',
  GlobalAveragePool: 'globalavgpool',
  GlobalMaxPool: 'globalmaxpool',
  LRN: 'lrn',
  ScaleShift: 'scaleshift',
  Softmax: 'softmax',
  Resize: 'resize',
  Activation: 'act',
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  Max: 'max',
  Min: 'min',
  Pow: 'pow'
}

/** Movement of data and views: whether they cost anything is the memory plan's affair, not a kernel's. */
const silent = new Set(['Copy', 'Concat', 'Split', 'Slice', 'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze'])

function layerOf(node: Node): Layer | undefined {
  const op = ops[node.op]
  if (!op) return undefined
  const numbersOf = (shape: readonly unknown[]) =>
    shape.map(dim => {
      if (typeof dim === 'number') return dim
      throw new Error(`${node.name} has a size that is still open`)
    })
  const input = numbersOf(node.inputs[0]!.shape)
  const rank = Math.max(input.length - 2, 1)
  const list = (name: string, fallback: readonly number[]) => [...(node.list(name) ?? fallback)]
  const ones = new Array<number>(rank).fill(1)
  const output = numbersOf(node.output.shape)
  const weights = node.inputs[1]
  const kernel = op.startsWith('conv') ? numbersOf(weights!.shape).slice(2) : node.list('kernel_shape')
  const flags: string[] = []
  if (node.number('ceil_mode', 0) && op.endsWith('pool')) flags.push('ceil')
  if (node.number('count_include_pad', 0)) flags.push('padded')
  if (op === 'resize') flags.push(node.text('coordinate_transformation_mode', 'half_pixel'))
  const binary = node.inputs.length > 1 && ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'].includes(op)
  const act = node.text('act', 'identity')
  return {
    op,
    times: 1,
    name: node.name,
    input,
    outputs: op.startsWith('conv') || op === 'gemm' ? output[1] : undefined,
    sizes: binary
      ? numbersOf(weights!.rank ? weights!.shape : [1])
      : op === 'resize'
        ? output.slice(2)
        : kernel && [...kernel],
    strides: list('strides', ones),
    pads: list('pads', [...ones, ...ones].fill(0)),
    dilations: list('dilations', ones),
    groups: node.number('group', 1),
    flags,
    size: op === 'lrn' ? node.number('size', 5) : undefined,
    act: act === 'identity' ? undefined : { name: act, alpha: node.number('alpha', 0), beta: node.number('beta', 0) },
    residual: node.inputs[4] ? (node.text('residual', '') === 'before' ? 'before' : 'after') : undefined
  }
}

mkdirSync(folder, { recursive: true })
for (const name of names) {
  const { graph } = build(zoo[name].build({ batch: 1 }), { shapes: { input: inputShape(name) } })
  const layers = new Map<string, Layer>()
  const left = new Set<string>()
  for (const node of graph.nodes) {
    const layer = layerOf(node)
    if (!layer) {
      if (!silent.has(node.op)) left.add(node.op)
      continue
    }
    const key = showLayer(layer)
    const known = layers.get(key)
    layers.set(key, known ? { ...known, times: known.times + 1 } : layer)
  }
  const remark = left.size ? `# left out: ${[...left].join(', ')}\n` : ''
  const text = `# ${zoo[name].title}: its layers after the compiler's passes. Written by npm run bench:shapes; grammar: bench/layers/layers.ts\n${remark}`
  writeFileSync(join(folder, `${name}.txt`), `${text}${[...layers.values()].map(showLine).join('\n')}\n`)
  console.log(`${name}: ${layers.size} shapes of ${graph.nodes.length} nodes`)
}
