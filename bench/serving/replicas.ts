// Three replicas in namespaces of the network behind HAProxy, under load, killed and rolled in turn: no wrong answer, nothing
// failed. `npm run test:replicas -- [--minutes 10] [--every 10] [--clients 8]`; needs root, ip and haproxy.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { cli, ended, flag, Nets, residentOf, root, type Started, started, wait } from './servers.js'

const minutes = flag('minutes', 10)
const every = flag('every', 10)
const clients = flag('clients', 8)

const folder = mkdtempSync(join(tmpdir(), 'cairn-replicas-'))
const file = await compile(zoo.lenet5.build())
writeFileSync(join(folder, 'm.cairn'), file)
const session = await InferenceSession.create(file, { numThreads: 1 })
const [{ name }] = session.inputMetadata
const [output] = session.outputNames
/** A few questions with the answers that a session gives, to the bit but for what sharing a run may round. */
const questions = await Promise.all(
  Array.from({ length: 16 }, async (_, seed) => {
    const data = Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i * (seed + 1)))
    const answer = (await session.run({ [name]: new Tensor('float32', data, [1, 1, 32, 32]) }))[output]
      .data as Float32Array
    const tensor = { name, shape: [1, 1, 32, 32], datatype: 'FP32', parameters: { binary_data_size: data.byteLength } }
    const head = Buffer.from(JSON.stringify({ inputs: [tensor] }))
    return { head: head.length, body: Buffer.concat([head, new Uint8Array(data.buffer)]), answer }
  })
)

const nets = new Nets(3)
const replica = (i: number) => {
  const args = [
    '--api',
    folder,
    '--host',
    '0.0.0.0',
    '--no-grpc',
    '--threads',
    '1',
    '--grace',
    '2',
    '--quiet',
    '--json'
  ]
  return started([cli, 'serve', ...args], {}, nets.inside(i))
}
const replicas: Started[] = []
const proxy = { child: undefined as ReturnType<typeof spawn> | undefined }
const counts = { right: 0, wrong: 0, failed: 0, kills: 0, rolls: 0 }
const failures: string[] = []
let doing = 'start'

const agent = new Agent({ keepAlive: true, maxSockets: clients })
const ask = ({ head, body, answer }: (typeof questions)[number]) =>
  new Promise<void>(resolve => {
    const fail = (why: string) => {
      counts.failed++
      if (failures.length < 20) failures.push(`${doing}: ${why}`)
      resolve()
    }
    const headers = { 'inference-header-content-length': head, 'content-length': body.length }
    const asked = request({ agent, port: 8080, method: 'POST', path: '/v2/models/m/infer', headers }, reply => {
      let text = ''
      reply.on('data', data => (text += data))
      reply.on('error', error => fail(error.message))
      reply.on('end', () => {
        if (reply.statusCode !== 200) return fail(`${reply.statusCode} ${text.slice(0, 100)}`)
        const { data } = JSON.parse(text).outputs[0]
        const near = answer.every((y, i) => Math.abs(y - data[i]) <= 1e-4 * Math.max(1, Math.abs(y)))
        if (near && data.length === answer.length) counts.right++
        else counts.wrong++
        resolve()
      })
    })
    asked.on('error', error => fail(error.message))
    asked.end(body)
  })

try {
  for (let i = 0; i < 3; i++) replicas.push(await replica(i))
  proxy.child = spawn('haproxy', ['-f', join(root, 'deploy/haproxy.cfg'), '-q'], { stdio: 'inherit' })
  await wait(2000)
  const end = Date.now() + minutes * 60_000
  let asked = 0
  const load = Promise.all(
    Array.from({ length: clients }, async () => {
      while (Date.now() < end) await ask(questions[asked++ % questions.length])
    })
  )
  const resident = () => replicas.map(({ child }) => Math.round(residentOf(child.pid!))).join(' ')
  for (let turn = 0; Date.now() + every * 1000 < end; turn++) {
    await wait(every * 1000)
    const i = turn % 3
    const roll = turn % 2 === 0
    doing = roll ? `roll ${i}` : `kill ${i}`
    // In a namespace, the child is the server itself: ip replaces itself by it.
    replicas[i].child.kill(roll ? 'SIGTERM' : 'SIGKILL')
    await ended(replicas[i])
    replicas[i] = await replica(i)
    counts[roll ? 'rolls' : 'kills']++
    process.stderr.write(`${doing}: ${JSON.stringify(counts)} MiB ${resident()}\n`)
  }
  await load
  process.stdout.write(`${JSON.stringify({ minutes, ...counts, failures })}\n`)
  process.exitCode = counts.wrong || counts.failed ? 1 : 0
} finally {
  proxy.child?.kill('SIGKILL')
  for (const { child } of replicas) child.kill('SIGKILL')
  nets.remove()
  rmSync(folder, { recursive: true })
}
process.exit()
