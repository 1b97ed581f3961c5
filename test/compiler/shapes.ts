// Free sizes: which are one, what meets what, what names and numbers the caller gives, and what exporters compute of them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile } from '../../compiler/index.js'
import { env, InferenceSession } from '../../runtime/index.js'
import { type BackendName, backends, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { gpu, withoutGpu } from '../support/gpu.js'
import { type Dim, ModelBuilder } from '../support/onnx/model.js'
import { type Bindings, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'

const test = suite(`shapes (seed ${baseSeed})`)
const random = new Random('shapes')
const cli = join(root, 'dist/cli/index.js')
const devices: readonly BackendName[] =
  (await withoutGpu()) === undefined ? backends : backends.filter(name => name !== 'webgpu')
if (devices.includes('webgpu')) env.webgpu.gpu = await gpu()

/** A model at several bindings, on every device, beside onnxruntime. */
async function agrees(model: ModelBuilder, bindings: readonly Bindings[]): Promise<void> {
  const bytes = model.encode()
  const file = await compile(bytes)
  const oracle = await Oracle.load(bytes)
  for (const device of devices) {
    const session = await InferenceSession.create(file, { executionProviders: [device] })
    for (const sizes of bindings) {
      const feeds = randomFeeds(model.inputs, random, sizes)
      const [expected, found] = [await oracle.run(feeds), numbersOfTensors(await session.run(tensorsOf(feeds)))]
      for (const name of model.outputs)
        assert.equal(
          [...found[name].dims],
          [...expected[name].dims],
          `${name} at ${JSON.stringify(sizes)} on ${device}`
        )
      assertClose(found, expected)
    }
    await session.release()
  }
  await oracle.release()
}

const builder = () => new ModelBuilder(random)
const axisOf = (m: ModelBuilder, x: string, axis: number) =>
  m.add('Gather', [m.add('Shape', [x]), m.ints([axis])], { axis: 0 })
const scalarOf = (m: ModelBuilder, x: string) => m.add('Squeeze', [x, m.ints([0])])
const int = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [], data: [value] })

test('pads to a multiple, as the sizes at run need', async () => {
  const m = builder()
  const x = m.input(['N', 3, 'H', 'W'])
  const missing = [2, 3].map(axis =>
    m.add('Mod', [m.add('Sub', [m.ints([8]), m.add('Mod', [axisOf(m, x, axis), m.ints([8])])]), m.ints([8])])
  )
  const pads = m.add('Concat', [m.ints([0, 0, 0, 0, 0, 0]), ...missing], { axis: 0 })
  const padded = m.add('Pad', [x, pads], { mode: 'reflect' })
  m.output(m.add('Conv', [padded, m.weights([4, 3, 3, 3])], { pads: [1, 1, 1, 1], strides: [2, 2] }))
  await agrees(m, [
    { N: 1, H: 13, W: 17 },
    { N: 2, H: 16, W: 9 },
    { N: 1, H: 24, W: 8 }
  ])
})

test('pads that may be less than nothing crop', async () => {
  const m = builder()
  const [x, y] = [m.input(['N', 2, 'H']), m.input(['N', 2, 'W'])]
  const more = m.add('Sub', [axisOf(m, y, 2), axisOf(m, x, 2)])
  const half = m.add('Div', [more, m.ints([2])])
  const pads = m.add('Concat', [m.ints([0, 0]), half, m.ints([0, 0]), m.add('Sub', [more, half])], { axis: 0 })
  m.output(m.add('Add', [m.add('Pad', [x, pads]), y]))
  await agrees(m, [
    { N: 1, H: 5, W: 10 },
    { N: 2, H: 10, W: 5 },
    { N: 1, H: 6, W: 6 }
  ])
})

test('ranges of free sizes make grids', async () => {
  const m = builder()
  const x = m.input(['N', 2, 'H', 'W'])
  const small = m.add('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  const line = (axis: number) => {
    const positions = m.add('Range', [int(m, 0), scalarOf(m, axisOf(m, small, axis)), int(m, 1)])
    return m.add('Add', [m.add('Cast', [positions], { to: 1 }), m.scalar(0.5)])
  }
  const shape = m.add('Concat', [axisOf(m, small, 2), axisOf(m, small, 3)], { axis: 0 })
  const rows = m.add('Expand', [m.add('Unsqueeze', [line(2), m.ints([1])]), shape])
  const columns = m.add('Expand', [m.add('Unsqueeze', [line(3), m.ints([0])]), shape])
  const grid = m.add(
    'Concat',
    [columns, rows].map(each => m.add('Unsqueeze', [each, m.ints([0])])),
    { axis: 0 }
  )
  m.output(m.add('Add', [small, m.add('Unsqueeze', [grid, m.ints([0])])]))
  await agrees(m, [
    { N: 1, H: 12, W: 16 },
    { N: 2, H: 7, W: 5 }
  ])
})

test('ranges go down, in fractions, and from free sizes on', async () => {
  const m = builder()
  const x = m.input(['N', 'W'])
  const width = scalarOf(m, axisOf(m, x, 1))
  const float32 = m.add('Cast', [width], { to: 1 })
  m.output(
    m.add('Range', [width, int(m, -2), int(m, -3)]),
    m.add('Range', [int(m, 3), width, int(m, 2)]),
    m.add('Range', [m.scalar(0.5), float32, m.scalar(0.75)]),
    m.add('Range', [float32, m.scalar(-1), m.add('Div', [float32, m.scalar(-7)])]),
    m.add('Range', [width, m.add('Add', [width, int(m, 4)]), int(m, 1)])
  )
  await agrees(m, [
    { N: 1, W: 9 },
    { N: 1, W: 4 },
    { N: 1, W: 30 }
  ])
})

test('einsums of free sizes broadcast where one is 1 when bound, and refuse others', async () => {
  for (const equation of ['...ij,...jk->...ik', '...ij,...ij->...i', 'aij,ajk->aik', 'aij,ajk->ik']) {
    const m = builder()
    m.output(m.add('Einsum', [m.input(['A', 3, 3]), m.input(['B', 3, 3])], { equation }))
    await agrees(m, [
      { A: 1, B: 2 },
      { A: 3, B: 1 },
      { A: 2, B: 2 }
    ])
    const session = await InferenceSession.create(await compile(m.encode()))
    const feeds = tensorsOf(randomFeeds(m.inputs, random, { A: 2, B: 3 }))
    await rejects(() => session.run(feeds), /Einsum "\w+" cannot join sizes 2 \(A\) and 3 \(B\)/)
    await session.release()
  }
})

test('sizes that do not meet are refused where only a shape is read', async () => {
  const m = builder()
  m.output(m.add('Shape', [m.add('Add', [m.input(['A', 3]), m.input(['B', 3])])]))
  await agrees(m, [
    { A: 1, B: 2 },
    { A: 2, B: 2 }
  ])
  const session = await InferenceSession.create(await compile(m.encode()))
  const feeds = tensorsOf(randomFeeds(m.inputs, random, { A: 2, B: 3 }))
  await rejects(() => session.run(feeds), /Add "\w+" cannot join sizes/)
  await session.release()
})

test('ranges of floats are as long as onnxruntime makes them', async () => {
  const draws = Array.from({ length: 40 }, () => {
    const delta = random.pick([0.1, 0.3, 0.7, 0.01, 1 / 3, -0.1, 0.2, 0.05])
    const start = random.pick([0.1, 0, 0.2, 1.7, -0.3])
    return [start, start + delta * random.int(1, 13), delta]
  })
  const m = builder()
  m.output(
    ...draws.map(numbers =>
      m.add(
        'Range',
        numbers.map(each => m.scalar(each))
      )
    )
  )
  const [expected, session] = [
    await Oracle.load(m.encode()).then(oracle => oracle.run({})),
    await InferenceSession.create(await compile(m.encode()))
  ]
  const found = numbersOfTensors(await session.run({}))
  assert.equal(
    m.outputs.map(name => found[name].dims[0]),
    m.outputs.map(name => expected[name].dims[0])
  )
  await session.release()
})

test('floats of sizes are rounded as floats, in Resize and in arithmetic', async () => {
  const m = builder()
  const x = m.input(['N', 1, 'H', 'W'])
  const scale = m.add('Div', [m.add('Cast', [axisOf(m, x, 2)], { to: 1 }), m.add('Cast', [axisOf(m, x, 3)], { to: 1 })])
  const scales = m.add('Concat', [m.constant({ dtype: 'float32', dims: [3], data: [1, 1, 13 / 11] }), scale], {
    axis: 0
  })
  m.output(
    m.add('Resize', [x, undefined, scales], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor'
    })
  )
  await agrees(m, [
    { N: 1, H: 11, W: 11 },
    { N: 1, H: 22, W: 9 },
    { N: 2, H: 33, W: 49 }
  ])
})

test('sizes of different names broadcast where one is 1', async () => {
  const m = builder()
  const [x, y, z] = [m.input(['N', 3, 'H']), m.input(['M', 3, 'H']), m.input(['K', 1, 4])]
  const sum = m.add('Mul', [m.add('Add', [x, y]), x])
  m.output(
    m.add('Where', [m.add('Less', [sum, m.scalar(0)]), y, sum]),
    m.add('MatMul', [m.add('Transpose', [sum], { perm: [0, 2, 1] }), m.add('Mul', [z, m.weights([1, 3, 1])])])
  )
  const bindings = [
    { N: 1, M: 4, K: 4, H: 2 },
    { N: 3, M: 1, K: 3, H: 5 },
    { N: 2, M: 2, K: 1, H: 2 },
    { N: 1, M: 1, K: 3, H: 4 }
  ]
  await agrees(m, bindings)
  const session = await InferenceSession.create(await compile(m.encode()))
  const feeds = tensorsOf(randomFeeds(m.inputs, random, { N: 2, M: 3, K: 1, H: 2 }))
  await rejects(() => session.run(feeds), /cannot join sizes 2 \(N\) and 3 \(M\) for N=2/)
  await session.release()
})

test('unknown sizes are each their own', async () => {
  for (const unknown of ['?', '-1', 'None', '', 'unk']) {
    const m = builder()
    const x = m.input([unknown, 3, unknown, unknown])
    m.output(m.add('Relu', [x]), m.add('GlobalMaxPool', [x]))
    const session = await InferenceSession.create(await compile(m.encode()))
    const found = await session.run(tensorsOf(randomFeeds([{ ...m.inputs[0], dims: [2, 3, 7, 9] }], random)))
    assert.equal([...found[m.outputs[0]].dims], [2, 3, 7, 9], unknown)
    assert.is(new Set(session.inputMetadata[0].shape).size, 4)
    await session.release()
  }
})

test('an unknown size does not take a name that the model has', async () => {
  const m = builder()
  const [x, y] = [m.input(['?', 3]), m.input(['N', 3])]
  m.output(m.add('Concat', [x, y], { axis: 0 }))
  const session = await InferenceSession.create(await compile(m.encode()))
  const sizes: [Dim[], Dim[]] = [
    [2, 3],
    [5, 3]
  ]
  const found = await session.run(
    tensorsOf(
      randomFeeds(
        m.inputs.map((input, i) => ({ ...input, dims: sizes[i] })),
        random
      )
    )
  )
  assert.equal([...found[m.outputs[0]].dims], [7, 3])
  await session.release()
})

test('shapes take names and numbers', async () => {
  const m = builder()
  const x = m.input(['?', 3, '?', '?'])
  m.output(m.add('Add', [m.add('Transpose', [x], { perm: [0, 1, 3, 2] }), x]))
  const bytes = m.encode()
  const session = await InferenceSession.create(await compile(bytes, { shapes: { [x]: [2, 3, 'S', 'S'] } }))
  assert.equal(session.inputMetadata[0].shape, [2, 3, 'S', 'S'])
  const found = await session.run(tensorsOf(randomFeeds([{ ...m.inputs[0], dims: [2, 3, 5, 5] }], random)))
  assert.equal([...found[m.outputs[0]].dims], [2, 3, 5, 5])
  await session.release()
  await rejects(
    () => compile(bytes, { shapes: { [x]: [2, 4, 'S', 'S'] } }),
    /axis 1 is 3 in the model, 4 in the given shape/,
    CompileError
  )
  await rejects(
    () => compile(bytes, { shapes: { [x]: [2, 3, -1, 5] } }),
    /whole numbers of at least 0, or names/,
    CompileError
  )
})

test('a refusal that fixed sizes cure says which flag gives them', async () => {
  const m = builder()
  const x = m.input(['N', 3, 'H', 'W'])
  m.output(m.add('ConvTranspose', [x, m.weights([3, 2, 3, 3])], { output_shape: [640, 640] }))
  const bytes = m.encode()
  await rejects(
    () => compile(bytes),
    new RegExp(`; compile with --shape ${x}=1x3x(\\d+)x\\1, or other sizes`),
    CompileError
  )
  const unknown = builder()
  const own = unknown.input(['N', 3])
  unknown.output(unknown.add('Frobnicate', [own]))
  await rejects(
    () => compile(unknown.encode()),
    /Frobnicate .*docs\/operators\.md lists those that are allowed$/,
    CompileError
  )
})

test('a size that is divided below nothing is cut, not floored', async () => {
  const m = builder()
  const x = m.input(['N', 'H'])
  const cut = m.add('Div', [m.add('Sub', [m.ints([2]), axisOf(m, x, 1)]), m.ints([4])])
  const float32 = m.add('Mul', [
    m.add('Cast', [m.add('Neg', [axisOf(m, x, 1)])], { to: 1 }),
    m.constant({ dtype: 'float32', dims: [1], data: [0.4] })
  ])
  const size = m.add('Add', [m.add('Neg', [cut]), m.add('Neg', [m.add('Cast', [float32], { to: 7 })])])
  m.output(m.add('ConstantOfShape', [size], { value: { tensor: { dtype: 'float32', dims: [1], data: [3] } } }))
  await agrees(m, [
    { N: 1, H: 3 },
    { N: 1, H: 7 },
    { N: 1, H: 9 }
  ])
})

test('commands take shapes of names and numbers', () => {
  const m = builder()
  const x = m.input(['?', 3, '?', '?'])
  m.output(m.add('Relu', [x]))
  const folder = mkdtempSync(join(tmpdir(), 'cairn-shapes-'))
  const path = join(folder, 'm.onnx')
  writeFileSync(path, m.encode())
  const run = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' })
  const inspected = run('inspect', path, '--shape', `${x}=Bx3xSxS`, '--dims', 'S=9', '--json')
  assert.is(inspected.status, 0, inspected.stderr)
  assert.equal(JSON.parse(inspected.stdout).free, ['B', 'S'])
  const wrong = run('run', path, '--shape', `${x}=2x3x5x-1`, '--random', '1')
  assert.is(wrong.status, 2)
  assert.match(wrong.stderr, /^cairn: --shape .*sizes and names joined by x are allowed, not "-1"/)
  rmSync(folder, { recursive: true })
})

test.run()
