// The short form of bench/serving/replicas.ts: two replicas under load, one rolled and one killed, and a caller that asks another
// where one is not there, as a proxy in front of them would.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { ask, expected, floats, folderOf, inputOf, smallModel, until } from '../support/serving.js'
import { skip } from '../support/skip.js'

const test = suite(`serving: replicas (seed ${baseSeed})`)
const random = new Random('replicas')

interface Replica {
  readonly child: ChildProcess
  readonly url: string
  readonly ended: Promise<number | null>
}

function begin(models: string): Promise<Replica> {
  const args = ['serve', '--api', models, '--http', '0', '--no-grpc', '--threads', '1', '--grace', '0.1', '--json']
  const child = spawn(process.execPath, [join(root, 'dist/cli/index.js'), ...args, '--quiet'])
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  return new Promise((resolve, reject) => {
    child.stdout.once('data', data => resolve({ child, url: JSON.parse(String(data)).url, ended }))
    ended.then(code => reject(new Error(`ended with ${code}`)))
  })
}

async function rolledAndKilled(): Promise<void> {
  const model = smallModel(random)
  const models = folderOf({ 'small.cairn': await compile(model) })
  const replicas = await Promise.all([begin(models), begin(models)])
  const x = floats(random, 192)
  const want = await expected(model, x, [1, 3, 8, 8])
  const body = { inputs: [inputOf('x', [1, 3, 8, 8], x)] }
  const seen = new Map<string, number>()
  let [over, turn] = [false, 0]
  /** Asks one after the other until one answers: connections fail, or 503, where a replica goes. */
  async function answered(): Promise<void> {
    const first = turn++
    for (let tries = 0; tries < 20; tries++) {
      const { url } = replicas[(first + tries) % replicas.length]
      const reply = await ask(`${url}/v2/models/small/infer`, body).catch(() => undefined)
      if (!reply || reply.status === 503) continue
      assert.is(reply.status, 200, reply.text)
      const { data } = reply.json.outputs[0]
      assert.ok(want.every((y, i) => Math.abs(y - data[i]) <= 1e-4 * Math.max(1, Math.abs(y))))
      seen.set(url, (seen.get(url) ?? 0) + 1)
      return
    }
    assert.unreachable('nobody answers')
  }
  const clients = Promise.all(
    Array.from({ length: 3 }, async () => {
      while (!over) await answered()
    })
  )
  // Waited for below; until then it is nobody's.
  clients.catch(() => undefined)
  const answers = (url: string) => until(() => (seen.get(url) ?? 0) > 5, `${url} answers`)
  try {
    await Promise.all(replicas.map(({ url }) => answers(url)))
    for (const [i, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
      const { child, ended } = replicas[i]
      child.kill(signal)
      assert.is(await ended, signal === 'SIGTERM' ? 0 : null)
      replicas[i] = await begin(models)
      await answers(replicas[i].url)
    }
    over = true
    await clients
  } finally {
    over = true
    for (const { child } of replicas) child.kill('SIGKILL')
  }
}

const title = 'no answer is wrong and no request is lost while one is rolled and one is killed'
if (process.platform === 'win32') skip(title, 'Windows has no SIGTERM to roll a server by')
else test(title, rolledAndKilled)

test.run()
