// `cairn train` as it is typed: folders of images in, heads and whole models out, and one line for what cannot be.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeNpy } from '../../cli/model/npy.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { commandLine } from '../support/host/command-line.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`cairn train (seed ${baseSeed})`)
const cli = join(root, 'dist', 'cli', 'index.js')
const folder = mkdtempSync(join(tmpdir(), 'cairn-train-'))
const at = (...parts: string[]) => join(folder, ...parts)

/** Pictures of 40×36 that are bright on the left, or on top. */
function writeImages(name: string, each: number): string {
  const random = new Random(name)
  for (const [label, isLeft] of [
    ['left', true],
    ['top', false]
  ] as const) {
    mkdirSync(at(name, label), { recursive: true })
    for (let i = 0; i < each; i++) {
      const data = new Uint8Array(40 * 36 * 3)
      for (let y = 0; y < 36; y++)
        for (let x = 0; x < 40; x++) {
          const bright = isLeft ? x < 20 : y < 18
          data.fill((bright ? 150 : 50) + random.int(0, 60), (y * 40 + x) * 3, (y * 40 + x) * 3 + 3)
        }
      writeFileSync(at(name, label, `${i}.png`), pngOf({ data, width: 40, height: 36 }))
    }
  }
  return at(name)
}

const cairn = commandLine(folder)

function refused(pattern: RegExp, status: number, ...args: string[]): void {
  const result = cairn(...args)
  assert.match(result.stderr, pattern)
  assert.match(result.stderr, /^cairn: [^\n]*\n$/)
  assert.is(result.status, status)
}

test.before(() => {
  writeFileSync(at('lenet5.onnx'), zoo.lenet5.build())
  writeImages('images', 12)
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

const usual = ['train', 'lenet5.onnx', '--data', 'images', '--epochs', '6', '--lr', '0.01', '--batch', '8', '--stretch']

test('--int8 writes a quantised model, and says what that costs', () => {
  const { status, stdout, stderr } = cairn(...usual, '--int8', '-o', 'int8.onnx')
  assert.is(status, 0, stderr)
  assert.match(stdout, /validation accuracy \(4 images\) in floats \d+\.\d\d %, quantised \d+\.\d\d %/)
  assert.match(stdout, /\nbest epoch \d: validation accuracy \d+\.\d\d % of 4 images, loss .*\nwrote int8\.onnx: .*\n/)
  assert.match(stdout, /\nit computes with 8 bits: validation accuracy \d+\.\d\d % of 4 images\n$/)
  const patch = cairn(...usual, '--int8', '-o', 'int8.patch')
  assert.match(patch.stdout, /\nit holds floats; quantised: validation accuracy \d+\.\d\d % of 4 images\n$/)
  assert.match(cairn('inspect', 'int8.onnx', '--layers').stdout, /int8|uint8|bytes/i)
  const json = cairn(...usual, '--int8', '--int8-above', '100', '-o', 'int8.cairn', '--json')
  assert.is(json.status, 0, json.stderr)
  const { accuracy, validating, int8: found } = JSON.parse(json.stdout)
  assert.equal([found.float, found.accuracy, validating], [accuracy, found.before, 4])
  refused(/^cairn: --int8-above is of no use without --int8\n/, 2, ...usual, '--int8-above', '2')
  refused(/^cairn: --int8-above -1: a number of at least 0 is/, 2, ...usual, '--int8', '--int8-above', '-1')
  assert.ok(found.before >= 0 && found.after === undefined, json.stdout)
})

test('writes a patch, a report, metrics; run and compile take the patch', () => {
  const { status, stdout, stderr } = cairn(...usual, '-o', 'head.patch', '--report', 'r.html', '--metrics', 'm.jsonl')
  assert.is(status, 0, stderr)
  assert.match(stdout, /^training a new head on "[^"]+"; \d+ blocks in front of it stay frozen: 24 images of 2 classes/)
  assert.match(stdout, /best epoch \d: validation accuracy \d+\.\d\d %/)
  const records = readFileSync(at('m.jsonl'), 'utf8').trim().split('\n')
  assert.equal(
    records.map(line => JSON.parse(line).epoch),
    [1, 2, 3, 4, 5, 6]
  )
  assert.match(readFileSync(at('r.html'), 'utf8'), /<h2>Classes<\/h2>/)
  assert.not(existsSync(at('head.patch.checkpoint')))
  writeFileSync(at('labels.txt'), 'left\ntop\n')
  const run = cairn(
    'run',
    'lenet5.onnx',
    '--patch',
    'head.patch',
    '--image',
    'images/top/3.png',
    '--stretch',
    '--labels',
    'labels.txt'
  )
  assert.match(run.stdout, /\d+\.\d\d % {2}top\n/)
  assert.is(cairn('compile', 'lenet5.onnx', '--patch', 'head.patch', '-o', 'merged.cairn').status, 0)
  refused(
    /head\.patch: the patch belongs to another backbone/,
    1,
    'run',
    'merged.cairn',
    '--patch',
    'head.patch',
    '--random',
    '1'
  )
})

test('a patch remembers how images became inputs; inspect and verify take it', () => {
  const prepared = ['--scale', '0.01', '--mean', '0.3', '--std', '0.7', '--stretch']
  const options = usual.filter(word => word !== '--stretch').concat(prepared)
  const trained = cairn(...options, '-o', 'prepared.patch')
  assert.is(trained.status, 0, trained.stderr)
  const probabilities = (...more: string[]) => {
    const { status, stdout, stderr } = cairn('run', 'lenet5.onnx', '--image', 'images/left/2.png', '--json', ...more)
    assert.is(status, 0, stderr)
    return JSON.parse(stdout).runs[0].top.map(({ score }: { score: number }) => score)
  }
  const patched = ['--patch', 'prepared.patch']
  assert.equal(probabilities(...patched), probabilities(...patched, ...prepared))
  assert.equal(probabilities(...patched, '--pad'), probabilities(...patched, ...prepared.slice(0, -1), '--pad'))
  assert.not.equal(probabilities(...patched), probabilities(...patched, '--mean', '0.9'))
  // A scale brings its own mean and deviation.
  assert.equal(
    probabilities(...patched, '--scale', '0.004'),
    probabilities(...patched, '--scale', '0.004', '--mean', '0', '--std', '1', '--stretch')
  )
  const inspected = JSON.parse(cairn('inspect', 'prepared.patch', '--json').stdout)
  assert.equal(inspected.classes, ['left', 'top'])
  assert.equal(inspected.preparation, { channels: 'GRAY', scale: 0.01, mean: [0.3], std: [0.7], fit: 'stretch' })
  assert.match(
    cairn('inspect', 'prepared.patch').stdout,
    /images +GRAY, \(byte × 0\.01 − \(0\.3\)\) \/ \(0\.7\), stretched\n/
  )
  const verified = cairn('verify', 'lenet5.onnx', ...patched, '--image', 'images/left/2.png', '--json')
  assert.is(verified.status, 0, verified.stderr)
  const { outputs, passed } = JSON.parse(verified.stdout)
  assert.ok(passed)
  assert.equal(
    outputs.map(({ name, dims }: { name: string; dims: number[] }) => [name, dims]),
    [
      ['probabilities', [1, 2]],
      ['logits', [1, 2]]
    ]
  )
  refused(/--pad exclude each other/, 2, 'run', 'lenet5.onnx', '--image', 'images/left/2.png', '--stretch', '--pad')
  refused(/--layers: prepared\.patch is a patch/, 2, 'inspect', 'prepared.patch', '--layers')
  refused(/labels\.txt: not a patch/, 1, 'verify', 'lenet5.onnx', '--patch', 'labels.txt')
})

test('writes whole models, and --json says what it did', async () => {
  for (const out of ['whole.onnx', 'whole.cairn']) {
    const { status, stdout: text, stderr } = cairn(...usual, '--initialise', 'xavier', '-o', out, '--json')
    assert.is(status, 0, stderr)
    const said = JSON.parse(text)
    assert.equal(said.classes, ['left', 'top'])
    assert.is(said.history.length, 6)
    assert.is(said.bytes, readFileSync(at(out)).length)
    const bytes = new Uint8Array(readFileSync(at(out)))
    const session = await InferenceSession.create(out.endsWith('.onnx') ? await compile(bytes) : bytes)
    assert.equal(session.outputNames, ['probabilities', 'logits'])
    await session.release()
  }
})

test('Ctrl-C keeps the best weights, and --resume goes on', async () => {
  const long = usual.map(word => (word === '6' ? '50000' : word)).concat('-o', 'long.patch')
  const child = spawn(process.execPath, [cli, ...long], { cwd: folder, timeout: 90_000 })
  let text = ''
  child.stdout.on('data', data => (text += data))
  while (!text.includes('epoch 3/')) await once(child.stdout, 'data')
  process.kill(child.pid!, 'SIGINT')
  const [code] = await once(child, 'close')
  assert.is(code, 0)
  assert.match(text, /stopped: it was told to stop/)
  assert.ok(existsSync(at('long.patch')))
  assert.ok(existsSync(at('long.patch.checkpoint')))
  const done = Number(/epoch (\d+)\/50000(?![\s\S]*epoch \d+\/50000)/.exec(text)![1])
  const again = spawn(process.execPath, [cli, ...long, '--resume'], { cwd: folder, timeout: 90_000 })
  let more = ''
  again.stdout.on('data', data => (more += data))
  while (!more.includes('epoch ')) await once(again.stdout, 'data')
  process.kill(again.pid!, 'SIGINT')
  await once(again, 'close')
  assert.match(more, new RegExp(`epoch ${done + 1}/50000`))
})

test('shows what augmentation does, checks gradients, finds neighbours', () => {
  assert.match(cairn(...usual, '--augment', 'flip,color', '--show-augment', 's.png').stdout, /wrote s\.png: 6 images/)
  assert.equal([...readFileSync(at('s.png')).subarray(1, 4)], [...Buffer.from('PNG')])
  const check = cairn(...usual, '--unfreeze', '1', '--check')
  assert.is(check.status, 0, check.stderr)
  assert.match(check.stdout, /head\.weight +\d+ +\S+ +right/)
  assert.match(check.stdout, /images are learnt by heart in \d+ steps/)
  assert.match(
    cairn(...usual, '--knn', '3').stdout,
    /^3 nearest neighbours of the features: \d+\.\d\d % of 4 images right/
  )
})

test('learns from arrays: bytes as pictures of files, floats as inputs as they are', () => {
  const random = new Random('arrays')
  const [count, side] = [24, 32]
  const labels = Array.from({ length: count }, (_, i) => i % 2)
  const bytes = labels.flatMap(label =>
    Array.from({ length: side * side }, (_, i) => {
      const bright = label ? i < (side * side) / 2 : i % side < side / 2
      return (bright ? 150 : 50) + random.int(0, 60)
    })
  )
  const write = (name: string, tensor: Tensor) => writeFileSync(at(name), encodeNpy(tensor))
  write('x.npy', new Tensor('uint8', Uint8Array.from(bytes), [count, side, side]))
  write('y.npy', new Tensor('int64', labels.map(BigInt), [count]))
  // What --scale 1/255 makes of the bytes.
  write(
    'f.npy',
    new Tensor(
      'float32',
      Float32Array.from(bytes, byte => byte / 255),
      [count, 1, side, side]
    )
  )
  for (const label of [0, 1]) mkdirSync(at('as-files', String(label)), { recursive: true })
  labels.forEach((label, i) => {
    const grey = bytes.slice(i * side * side, (i + 1) * side * side)
    const data = Uint8Array.from(grey.flatMap(byte => [byte, byte, byte]))
    writeFileSync(at('as-files', String(label), `${i}.png`), pngOf({ data, width: side, height: side }))
  })
  const trained = (data: string, ...more: string[]) => {
    const own = ['--epochs', '4', '--lr', '0.01', '--batch', '8', '--scale', String(1 / 255), '--json']
    const how = more.length ? more : ['--stretch']
    const { status, stdout, stderr } = cairn(
      'train',
      'lenet5.onnx',
      '--data',
      data,
      ...own,
      '-o',
      'arrays.patch',
      ...how
    )
    assert.is(status, 0, stderr)
    return JSON.parse(stdout)
  }
  const [pictures, floats] = ['x.npy,y.npy', 'f.npy,y.npy'].map(data => trained(data))
  assert.equal(pictures.classes, ['0', '1'])
  const losses = ({ history }: { history: { trainLoss: number }[] }) => history.map(({ trainLoss }) => trainLoss)
  losses(floats).forEach((loss, i) => assert.ok(Math.abs(loss - losses(pictures)[i]) < 1e-5))
  assert.ok(trained('as-files').history.length === 4)
  const crops = trained('as-files', '--crops', '10')
  assert.is(crops.crops.crops, 10)
  assert.ok(crops.crops.accuracy >= 0 && crops.crops.accuracy <= 1)

  const on = (data: string, ...more: string[]) => ['train', 'lenet5.onnx', '--data', data, ...more]
  refused(/--data x\.npy: two arrays, as inputs\.npy,labels\.npy, are allowed/, 1, ...on('x.npy'))
  refused(/y\.npy has int64 \[24\]; uint8 pictures and floats/, 1, ...on('y.npy,y.npy'))
  refused(/x\.npy has shape \[24×32×32\]; \[24\], a label for each/, 1, ...on('f.npy,x.npy'))
  refused(/--augment is of pictures of bytes, not of floats/, 2, ...on('f.npy,y.npy', '--augment', 'flip'))
  write('g.npy', new Tensor('float32', new Float32Array(count * 9).fill(1), [count, 1, 3, 3]))
  refused(/examples have shape \[1×3×3\]; the model takes "input"/, 1, ...on('g.npy,y.npy'))
  refused(/--crops 7: 1, 5, 10, 144 are allowed/, 2, ...on('images', '--crops', '7'))
})

test('one line for data that cannot be learnt, and for flags that do not fit', () => {
  mkdirSync(at('one', 'left'), { recursive: true })
  mkdirSync(at('empty', 'left'), { recursive: true })
  mkdirSync(at('empty', 'top'), { recursive: true })
  writeImages('broken', 2)
  writeFileSync(at('broken', 'top', 'x.png'), readFileSync(at('images', 'top', '0.png')).subarray(0, 60))
  const on = (data: string) => ['train', 'lenet5.onnx', '--data', data]
  refused(/only one class, "left"/, 1, ...on('one'))
  refused(/class "left" has no images/, 1, ...on('empty'))
  refused(/x\.png: damaged image .*mend or remove it/, 1, ...on('broken'))
  refused(/--data nowhere: no such folder/, 1, ...on('nowhere'))
  refused(/--data DIR is missing/, 2, 'train', 'lenet5.onnx')
  refused(/--out lenet5\.onnx would overwrite the model/, 2, ...on('images'), '-o', 'lenet5.onnx')
  refused(/ends in \.patch, \.cairn or \.onnx/, 2, ...on('images'), '-o', 'x.bin')
  refused(/augmentation twirl: unknown/, 1, ...on('images'), '--augment', 'twirl')
  refused(/--optimizer lion: sgd, /, 2, ...on('images'), '--optimizer', 'lion')
  refused(/there is no checkpoint/, 1, ...on('images'), '--resume')
  refused(/schedule sometimes: unknown/, 1, ...on('images'), '--schedule', 'sometimes')
  refused(/--groups \(: /, 2, ...on('images'), '--groups', '(')
})

test.run()
