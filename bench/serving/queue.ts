// Three workers in namespaces of the network, many small pictures, workers killed at random, Redis restarted once: every picture
// once in the results. `npm run test:queue -- [--pictures 100000] [--every 5]`; needs root, ip and redis-server.
import { spawn } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PNG } from 'pngjs'
import { zoo } from '../../models/index.js'
import { cli, flag, Nets, residentOf, type Started, started, wait } from './servers.js'

const pictures = flag('pictures', 100_000)
const every = flag('every', 5)

const folder = mkdtempSync(join(tmpdir(), 'cairn-queue-'))
writeFileSync(join(folder, 'm.onnx'), zoo.lenet5.build())
mkdirSync(join(folder, 'redis'))
// A hundred different files, named again and again: what counts is that each line of the manifest has its own result.
for (let i = 0; i < 100; i++) {
  const png = new PNG({ width: 32, height: 32 })
  for (let at = 0; at < png.data.length; at++) png.data[at] = (at * (i + 7)) % 251
  writeFileSync(join(folder, `${i}.png`), PNG.sync.write(png))
}
const manifest = join(folder, 'list.txt')
writeFileSync(manifest, Array.from({ length: pictures }, (_, i) => `${(i * 37) % 100}.png\n`).join(''))

async function linesIn(path: string): Promise<number> {
  let lines = 0
  if (existsSync(path)) for await (const _ of createInterface({ input: createReadStream(path) })) lines++
  return lines
}

const nets = new Nets(3, 'cairnq')
const redisArgs = ['--bind', '10.77.0.1', '--protected-mode', 'no', '--appendonly', 'yes', '--save', '']
const redisServer = () => spawn('redis-server', [...redisArgs, '--dir', join(folder, 'redis')], { stdio: 'ignore' })
const url = 'redis://10.77.0.1:6379'
const worker = (i: number) =>
  started([cli, 'worker', '--redis', url, '--threads', '1', '--patience', '5'], {}, nets.inside(i))
let redis = redisServer()
const workers: Started[] = []
try {
  await wait(1000)
  for (let i = 0; i < 3; i++) workers.push(await worker(i))
  const began = Date.now()
  const output = join(folder, 'out.jsonl')
  const args = ['batch', manifest, '--model', join(folder, 'm.onnx'), '-o', output, '--redis', url, '--json']
  const producer = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const done = new Promise<number | null>(resolve => producer.once('exit', resolve))
  let [kills, most, over, restarted] = [0, 0, false, false]
  done.then(() => (over = true))
  while (!over) {
    await Promise.race([wait(every * 1000), done])
    if (over) break
    most = Math.max(most, residentOf(producer.pid!))
    const seconds = Math.round((Date.now() - began) / 1000)
    process.stderr.write(`${seconds} s, ${kills} kills: ${await linesIn(`${output}.journal`)} lines\n`)
    const i = Math.floor(Math.random() * 3)
    workers[i].child.kill('SIGKILL')
    kills++
    if (kills === 3 && !restarted) {
      restarted = true
      redis.kill('SIGKILL')
      await wait(1500)
      redis = redisServer()
    }
    workers[i] = await worker(i)
  }
  if ((await done) !== 0 || !existsSync(output)) throw new Error('the batch has failed')
  const seen = new Uint8Array(pictures)
  let [lines, wrong] = [0, 0]
  const answers = new Map<string, string>()
  for await (const line of createInterface({ input: createReadStream(output) })) {
    const { index, input, classes } = JSON.parse(line)
    lines++
    seen[index]++
    // The same picture has the same classes, and line i is the i-th of the manifest.
    if (!input.endsWith(`/${(index * 37) % 100}.png`)) wrong++
    const text = JSON.stringify(classes)
    if ((answers.get(input) ?? text) !== text) wrong++
    answers.set(input, text)
  }
  const [lost, twice] = [seen.filter(n => n === 0).length, seen.filter(n => n > 1).length]
  const seconds = (Date.now() - began) / 1000
  process.stdout.write(
    `${JSON.stringify({ pictures, lines, lost, twice, wrong, kills, restarted, seconds, producerMiB: Math.round(most) })}\n`
  )
  process.exitCode = lost || twice || wrong ? 1 : 0
} finally {
  for (const { child } of workers) child.kill('SIGKILL')
  redis.kill('SIGKILL')
  nets.remove()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
