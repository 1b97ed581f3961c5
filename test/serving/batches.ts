// Batches: every input once in the results, in order, whoever is killed; in process and over Redis, where this machine has one.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { folderOf, put, smallModel, until } from '../support/serving.js'
import { skip } from '../support/skip.js'

const test = suite(`serving: batches (seed ${baseSeed})`)
const random = new Random('batches')
const command = join(root, 'dist/cli/index.js')

const folder = folderOf({
  'm.onnx': smallModel(random),
  'few.txt': 'a\nb',
  'labels.txt': 'abcdefghij'.split('').join('\n')
})
const count = 240
const broken = new Set([7, 100])
for (let i = 0; i < count; i++) {
  const png = new PNG({ width: 9, height: 8 })
  png.data.set(random.ints(png.data.length, [0, 255]))
  put(folder, `pictures/${String(i).padStart(4, '0')}.png`, broken.has(i) ? 'no picture' : PNG.sync.write(png))
}
const given = (output: string, ...more: string[]) => [
  ...[
    'batch',
    join(folder, 'pictures'),
    '--model',
    join(folder, 'm.onnx'),
    '-o',
    join(folder, output),
    '--json',
    ...more
  ]
]

function begin(args: readonly string[]): {
  child: ChildProcess
  ended: Promise<{ code: number | null; out: string; err: string }>
} {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout!.on('data', data => (out += data))
  child.stderr!.on('data', data => (err += data))
  return { child, ended: new Promise(resolve => child.on('close', code => resolve({ code, out, err }))) }
}

const linesOf = (path: string) =>
  readFileSync(join(folder, path), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

/** Inputs that a journal has, behind the line of its batch. */
const written = (journal: string) =>
  existsSync(journal) ? readFileSync(journal, 'utf8').trimEnd().split('\n').length - 1 : 0

/** Each index once, in order, the broken ones among the failures; without what belongs to one run, the same as another's. */
function check(output: string): unknown[] {
  const [good, bad] = [linesOf(`${output}.jsonl`), linesOf(`${output}.failed.jsonl`)]
  const all = Array.from({ length: count }, (_, i) => i)
  assert.equal(
    good.map(({ index }) => index),
    all.filter(i => !broken.has(i))
  )
  assert.equal(
    bad.map(({ index }) => index),
    [...broken]
  )
  for (const { input, index } of [...good, ...bad])
    assert.match(input, new RegExp(`${String(index).padStart(4, '0')}.png$`))
  for (const { error } of bad) assert.match(error, /text file/)
  assert.not.ok(existsSync(join(folder, `${output}.jsonl.journal`)))
  return good
}

/** Puts a pipe in the place of a picture, at which a batch waits until what is given back is called. */
function gateAt(index: number): () => void {
  const path = join(folder, `pictures/${String(index).padStart(4, '0')}.png`)
  const [picture, pipe] = ['picture', 'pipe'].map(kind => `${path}.${kind}`)
  renameSync(path, picture)
  execFileSync('mkfifo', [path])
  return () => {
    const bytes = readFileSync(picture)
    renameSync(path, pipe)
    renameSync(picture, path)
    try {
      // Who has opened it waits for its bytes; where nobody has, there is nobody to wake.
      const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
      writeFileSync(writer, bytes)
      closeSync(writer)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    }
  }
}

let want: unknown[]

test('a batch in this process has every picture once; killed, it goes on where it was', async () => {
  const first = await begin(given('whole.jsonl', '--labels', join(folder, 'labels.txt'), '--top', '2')).ended
  assert.is(first.code, 0, first.err)
  const { seconds, ...told } = JSON.parse(first.out)
  assert.ok(seconds > 0)
  const [output, failures] = ['whole.jsonl', 'whole.failed.jsonl'].map(name => join(folder, name))
  assert.equal(told, { output, inputs: count, done: count - 2, failed: 2, failures })
  want = check('whole')
  for (const { classes } of want as { classes: { index: number; label: string }[] }[]) {
    assert.is(classes.length, 2)
    for (const { index, label } of classes) assert.is(label, 'abcdefghij'[index])
  }

  if (process.platform === 'win32') return skip('a batch that is killed', 'Windows has no pipes among files')
  const args = given('killed.jsonl', '--labels', join(folder, 'labels.txt'), '--top', '2', '--window', '4')
  const journal = join(folder, 'killed.jsonl.journal')
  const open = gateAt(60)
  const { child, ended } = begin(args)
  await until(() => written(journal) === 60, 'it has come to the gate')
  child.kill('SIGKILL')
  await ended
  open()
  // Half a line, as a machine's end leaves it.
  writeFileSync(journal, '{"index":', { flag: 'a' })
  const other = await begin(given('killed.jsonl', '--task', 'outputs')).ended
  assert.equal([other.code, /another model or other settings/.test(other.err)], [1, true], other.err)
  const second = await begin(args).ended
  assert.is(second.code, 0, second.err)
  assert.match(second.err, /goes on there/)
  assert.equal(check('killed'), want)
})

test('features and outputs, from manifests, as lines and as Arrow', async () => {
  put(
    folder,
    'list.txt',
    Array.from({ length: 20 }, (_, i) => `pictures/${String(i + 10).padStart(4, '0')}.png`).join('\n')
  )
  put(
    folder,
    'list.jsonl',
    `{"path":"pictures/0003.png"}\n${JSON.stringify({ path: join(folder, 'pictures/0004.png') })}\n`
  )
  const run = (output: string, ...more: string[]) =>
    begin(['batch', ...more, '--model', join(folder, 'm.onnx'), '-o', join(folder, output)]).ended
  const arrow = await run('features.arrow', join(folder, 'list.txt'), '--task', 'embed')
  assert.is(arrow.code, 0, arrow.err)
  assert.match(arrow.out, /^20 of 20 pictures/)
  const table = tableFromIPC(readFileSync(join(folder, 'features.arrow')))
  assert.equal(
    table.schema.fields.map(({ name }) => name),
    ['index', 'input', 'features']
  )
  assert.equal(
    [...table.getChild('index')!],
    Array.from({ length: 20 }, (_, i) => i)
  )
  const lines = await run('features.jsonl', join(folder, 'list.txt'), '--task', 'embed')
  assert.is(lines.code, 0, lines.err)
  for (const [i, { features }] of linesOf('features.jsonl').entries()) {
    assert.is(features.length, 6)
    assert.equal([...table.getChild('features')!.get(i)], features)
  }
  const outputs = await run('outputs.jsonl', join(folder, 'list.jsonl'), '--task', 'outputs')
  assert.is(outputs.code, 0, outputs.err)
  for (const each of linesOf('outputs.jsonl'))
    assert.equal([each.outputs.y.dims, each.outputs.y.data.length], [[1, 10], 10])
})

test('boxes come back in pixels of the picture, whether it was stretched or padded', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([1, 3, 32, 32], 'float32', [-2, 2], 'x')
  const nothing = m.add('Mul', [m.add('ReduceMean', [x], { keepdims: 0 }), m.scalar(0)])
  const corners = Array.from({ length: 8 }, (_, i) => (i === 5 ? [0.25, 0.5, 0.5, 0.75] : [0.1, 0.1, 0.2, 0.2])).flat()
  const shares = Array.from({ length: 8 }, (_, i) => (i === 5 ? [0.1, 0.9] : [0.99, 0.01])).flat()
  const constant = (dims: number[], data: number[]) =>
    m.add('Add', [m.constant({ dtype: 'float32', dims, data }), nothing])
  m.output(constant([1, 8, 2], shares), constant([1, 8, 4], corners))
  put(folder, 'detector.onnx', m.encode())
  const png = new PNG({ width: 80, height: 40 })
  put(folder, 'wide.png', PNG.sync.write(png))
  const args = ['batch', join(folder, 'wide.png'), '--model', join(folder, 'detector.onnx'), '--task', 'detect']
  for (const [more, box] of [
    [[], [20, 20, 40, 30]],
    [['--pad'], [20, 40, 40, 40]]
  ] as const) {
    const { code, err } = await begin([...args, ...more, '-o', join(folder, 'boxes.jsonl')]).ended
    assert.is(code, 0, err)
    const [{ boxes }] = linesOf('boxes.jsonl')
    assert.is(boxes.length, 1)
    assert.ok(Math.abs(boxes[0].score - 0.9) < 1e-5)
    assert.equal(boxes[0].box, box)
  }
})

test('what cannot be is said in a line', async () => {
  // As of another producer that lives.
  put(folder, 'locked.jsonl.journal.lock', String(process.pid))
  mkdirSync(join(folder, 'folder.jsonl'))
  for (const [args, code, message] of [
    [['batch', folder], 2, /--model M and -o OUT are needed/],
    [given('x.csv'), 2, /\.jsonl or \.arrow/],
    [given('x.jsonl', '--queue', 'q'), 2, /--queue is of no use without --redis/],
    [given('x.jsonl', '--task', 'embed', '--top', '3'), 2, /--top is of no use/],
    [given('x.arrow', '--top', '3'), 2, /--top is of no use with \.arrow/],
    [given('locked.jsonl'), 1, /process \d+ writes it/],
    [given('x.jsonl', '--redis', 'localhost'), 1, /redis:\/\/host:6379 is allowed/],
    [given('x.jsonl', '--redis', 'redis://127.0.0.1:1'), 1, /no Redis at 127.0.0.1:1/],
    [given('folder.jsonl'), 1, /cannot write .*folder\.jsonl: it is a folder/],
    [given('m.onnx/x.jsonl'), 1, /cannot write .*x\.jsonl: a part of its path is not a folder/],
    [['batch', join(folder, 'none'), '--model', join(folder, 'm.onnx'), '-o', 'x.jsonl'], 1, /no such file/],
    [['worker'], 2, /--redis URL is needed/]
  ] as const) {
    const { code: actual, err } = await begin(args).ended
    assert.equal([actual, message.test(err), err.trimEnd().split('\n').length], [code, true, 1], err)
  }
  // A batch that has not begun leaves nothing to go on with.
  assert.not(existsSync(join(folder, 'x.jsonl.journal')))
})

test('a batch of which nothing comes says why, and ends with exit code 1', async () => {
  const { code, err } = await begin(given('made/none.jsonl', '--labels', join(folder, 'few.txt'))).ended
  assert.is(code, 1)
  assert.match(err, /no picture has a result; the first has failed: .*few\.txt|--labels.* has 2 lines/)
  assert.is(linesOf('made/none.failed.jsonl').length, count)
})

const freePort = () =>
  new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

/** Whether somebody listens. */
const takes = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })

if (spawnSync('redis-server', ['--version']).error)
  skip('batches over Redis', 'this machine has no redis-server; Debian’s package has it')
else
  test('over Redis each picture is once in the results, though workers, the producer and Redis are killed', async () => {
    const port = await freePort()
    mkdirSync(join(folder, 'redis'))
    const redis = () => {
      const args = ['--port', String(port), '--dir', join(folder, 'redis'), '--appendonly', 'yes', '--save', '']
      return spawn('redis-server', [...args, '--bind', '127.0.0.1'], { stdio: 'ignore' })
    }
    const url = `redis://127.0.0.1:${port}`
    const worker = () => begin(['worker', '--redis', url, '--threads', '1', '--patience', '1'])
    let server = redis()
    await until(() => takes(port), 'Redis is there')
    const workers = [worker(), worker()]
    const args = given(
      'queued.jsonl',
      '--labels',
      join(folder, 'labels.txt'),
      '--top',
      '2',
      '--redis',
      url,
      '--window',
      '60'
    )
    const journal = join(folder, 'queued.jsonl.journal')
    const gates = [gateAt(60), gateAt(150)]
    try {
      let producer = begin(args)
      await until(() => written(journal) === 60, 'it has come to the first gate')
      workers[0].child.kill('SIGKILL')
      producer.child.kill('SIGKILL')
      await producer.ended
      producer = begin(args)
      workers.push(worker())
      gates[0]()
      await until(() => written(journal) === 150, 'it has come to the second gate')
      server.kill('SIGKILL')
      await new Promise(resolve => server.on('close', resolve))
      server = redis()
      gates[1]()
      const { code, err } = await producer.ended
      assert.is(code, 0, err)
      assert.equal(check('queued'), want)
      workers[1].child.kill('SIGTERM')
      assert.is((await workers[1].ended).code, 0)
    } finally {
      for (const { child } of workers) child.kill('SIGKILL')
      server.kill('SIGKILL')
    }
  })

test.run()
