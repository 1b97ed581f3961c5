// `inspect --layers --explain`: every formula comes to the number behind it, which is the layer's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explained, explanationText } from '../../cli/report/explain.js'
import { type Layer, layersOf, originalGraph } from '../../cli/report/layers.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import type { Bindings } from '../../runtime/file/index.js'
import { resultOf } from '../support/formula.js'
import { commandLine } from '../support/host/command-line.js'
import { type Attributes, ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`layers explained (seed ${baseSeed})`)

/** All formulas of a model, each of which has been worked out. */
function checked(model: Uint8Array, bindings: Bindings, name: string) {
  const graph = originalGraph(model, {})
  const layers = layersOf(graph, bindings, new Map())
  const list = explained(graph, layers, bindings)
  const of = new Map(layers.map(layer => [layer.name, layer]))
  for (const { name: layer, formulas } of list)
    for (const { figure, formula, value } of formulas) {
      if (formula !== '') assert.is(resultOf(formula), value, `${name}, ${layer}, ${figure}: ${formula}`)
      checkFigure(of.get(layer)!, figure, value)
    }
  return { layers, list }
}

function checkFigure({ name, output, parameters, macs, field }: Layer, figure: string, value: number): void {
  const message = `${name}: ${figure} ${value}`
  if (figure === 'size') assert.ok(output.includes(value), message)
  if (figure === 'parameters') assert.is(value, parameters, message)
  if (figure === 'MACs') assert.is(value, macs, message)
  if (figure === 'receptive field') assert.ok(field !== 'whole' && field.size.includes(value), message)
  if (figure === 'jump') assert.ok(field !== 'whole' && field.jump.includes(value), message)
}

const networks = ['lenet5', 'squeezenet1.1', 'mobilenet-v2', 'googlenet', 'shufflenet-v2', 'plain20-cifar']
for (const name of networks)
  test(`every layer with weights of ${name} is derived`, () => {
    for (const N of [1, 3]) {
      const { layers, list } = checked(zoo[name].build(), { N }, name)
      const told = new Map(list.map(({ name, formulas }) => [name, formulas]))
      for (const { name: layer, op, parameters, macs } of layers) {
        const figures = (told.get(layer) ?? []).filter(({ formula }) => formula !== '').map(({ figure }) => figure)
        if (/^Conv|^MaxPool$|^AveragePool$/.test(op)) assert.ok(figures.includes('size'), `${layer} has no size`)
        if (parameters) assert.ok(figures.includes('parameters'), `${layer} has no parameters`)
        if (macs) assert.ok(figures.includes('MACs'), `${layer} has no MACs`)
      }
    }
  })

test('windows of every kind come to the sizes that there are', () => {
  const random = new Random('windows')
  for (let time = 0; time < 200; time++) {
    const m = new ModelBuilder(random)
    const [high, wide] = [random.int(12, 30), random.int(12, 30)]
    const kernel = [random.int(1, 4), random.int(1, 4)]
    const strides = [random.int(1, 3), random.int(1, 3)]
    const pads = Array.from({ length: 4 }, () => random.int(0, 1))
    const dilations = random.chance(0.5) ? [random.int(1, 3), random.int(1, 3)] : [1, 1]
    const same: Attributes = random.chance(0.3)
      ? { auto_pad: random.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID']) }
      : { pads }
    const attributes = { kernel_shape: kernel, strides, dilations, ...same }
    const x = m.input([1, 4, high, wide])
    const fitting = pads.every((pad, i) => pad < kernel[i % 2])
    const y = random.pick<() => string>([
      () => m.add('Conv', [x, m.weights([6, 2, ...kernel]), m.weights([6])], { ...attributes, group: 2 }),
      () => m.add('ConvTranspose', [x, m.weights([4, 3, ...kernel])], attributes),
      () =>
        m.add('MaxPool', [x], {
          ...attributes,
          ...(fitting ? {} : { pads: [0, 0, 0, 0], auto_pad: 'NOTSET' }),
          ceil_mode: random.int(0, 1)
        })
    ])()
    const { list } = checked(m.output(m.add('Relu', [y])).encode(), {}, m.nodes[0].opType!)
    assert.ok(list.length)
  }
})

test('the command prints AlexNet as the issue has it, and refuses what has no formulas', async () => {
  const m = new ModelBuilder(new Random('conv1'))
  const x = m.input(['N', 3, 227, 227])
  m.output(m.add('Conv', [x, m.weights([96, 3, 11, 11]), m.weights([96])], { strides: [4, 4] }))
  const model = m.encode()
  const { list } = checked(model, { N: 1 }, 'conv1')
  assert.match(
    explanationText(list),
    /: size \(227 − 11 \+ 2·0\)\/4 \+ 1 = 55; 96·\(11·11·3\) \+ 96 = 34,944 parameters; 55·55·96·\(11·11·3\) = 105,415,200 MACs; receptive field 1 \+ \(11 − 1\)·1 = 11; jump 1·4 = 4$/
  )
  const folder = mkdtempSync(join(tmpdir(), 'cairn-explain-'))
  writeFileSync(join(folder, 'm.onnx'), model)
  writeFileSync(join(folder, 'm.cairn'), await compile(model))
  const cli = commandLine(folder, 'inspect')
  const { stdout } = cli('m.onnx', '--layers', '--explain')
  assert.ok(stdout.endsWith(`\n\n${explanationText(list)}\n`))
  assert.equal(JSON.parse(cli('m.onnx', '--layers', '--explain', '--json').stdout).explained, list)
  assert.match(cli('m.onnx', '--explain').stderr, /^cairn: --explain is of no use without --layers\n$/)
  assert.match(
    cli('m.cairn', '--layers', '--explain').stderr,
    /^cairn: m\.cairn is compiled; formulas are told of an ONNX model\n$/
  )
  rmSync(folder, { recursive: true })
})

test.run()
