// Every public member of onnxruntime-common, tried on onnxruntime-web and on the stand-in side by side.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as ours from '../../ort/index.js'
import { type Api, outcomeOf, same } from '../support/ort/kit.js'
import { trials } from '../support/ort/trials.js'
import { baseSeed } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`members of onnxruntime (seed ${baseSeed})`)
const page = join(root, 'docs', 'onnxruntime-members.md')

ours.env.cairn = { cache: false, worker: false }

const found: { member: string; tried: string; web: string; cairn: string; differs?: string }[] = []

test.before(async () => {
  const script = fileURLToPath(new URL('../support/ort/theirs.js', import.meta.url))
  const env = { ...process.env, CAIRN_SEED: String(baseSeed) }
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env, maxBuffer: 2 ** 26 })
  const outcomes: string[] = JSON.parse(stdout.split('\n').at(-1)!)
  const { warn } = console
  console.warn = () => undefined
  for (const [i, each] of trials.entries()) {
    const cairn = await outcomeOf(each, ours as unknown as Api)
    found.push({ ...each, web: outcomes[i], cairn })
  }
  console.warn = warn
})

test('all are the same, but those that differ for a reason', () => {
  const wrong = found.filter(({ web, cairn, differs }) => same(web, cairn) === Boolean(differs))
  assert.equal(
    wrong.map(({ member, tried, web, cairn }) => [member, tried, web, cairn]),
    []
  )
})

test('the documents have the table', () => {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = found.map(({ member, tried, web, cairn, differs }) => {
    const both = same(web, cairn) ? (web === 'refused' ? 'same refusal' : 'same') : cell(differs ?? 'differs')
    return `| \`${member}\` | ${both} | ${cell(tried.replace(/[{[].*/, json => `\`${json}\``))} |`
  })
  const text = readFileSync(page, 'utf8')
  const [head] = text.split('| member |')
  const wanted = [`${head}| member | outcome | tried |`, '|---|---|---|', ...rows, ''].join('\n')
  if (process.env.CAIRN_UPDATE === 'ort') writeFileSync(page, wanted)
  assert.snapshot(readFileSync(page, 'utf8'), wanted, 'node dist/test/run.js --update ort members writes it')
})

test('none is missing', async () => {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-common'))
  const names = (file: string, from: RegExp, to: RegExp) => {
    const text = readFileSync(join(folder, `${file}.d.ts`), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    const part = text.slice(text.search(from)).slice(0, text.slice(text.search(from)).search(to))
    return [...part.matchAll(/^ +(?:readonly |get |set )?['"]?([\w-]+)['"]?\??[:(<]/gm)].map(match => match[1])
  }
  const tried = new Set(trials.flatMap(({ member }) => member.split(/[.#]/)))
  const wanted = [
    ...names('inference-session', /interface SessionOptions/, /interface ExecutionProviderOptionMap/),
    ...names('inference-session', /interface RunOptions/, /interface ValueMetadataBase/),
    ...names('inference-session', /^export interface InferenceSession \{/m, /^export declare const/m),
    ...names('env', /interface WebAssemblyFlags/, /interface WebGLFlags/),
    ...names('env', /interface WebGLFlags/, /interface WebGpuProfilingDataV1T/),
    ...names('env', /^export interface Env/m, /^export declare const/m),
    ...names('onnx-model', /interface OnnxModelOptions/, /sourceMapping/),
    ...names('tensor', /interface TypedTensorBase/, /^export declare namespace/m),
    ...names('tensor-factory', /^export interface TensorFactory /m, /^export \{\}/m),
    ...names('tensor-conversion', /interface ConversionUtils/, /sourceMapping/),
    ...names('tensor-utils', /interface Properties/, /sourceMapping/),
    ...Object.keys(await import('onnxruntime-common')),
    'default'
  ].filter(name => !['wasm', 'webgl', 'webgpu', 'versions', 'name', 'new'].includes(name))
  assert.ok(wanted.length > 70, `${wanted.length}`)
  assert.equal(
    [...new Set(wanted)].filter(name => !tried.has(name)),
    []
  )
})

test.run()
