import { openGpu, openNullGpu } from '../../cli/device/index.js'
import { median, type Subject } from '../../cli/measure/index.js'
import { scaled } from '../../cli/terminal/index.js'
import { env, type GpuDispatch } from '../../runtime/index.js'
import { type Column, markdownTable } from '../peers/peers-report.js'
import { type OrtKernels, ortKernels } from './ort-kernels.js'
import { gpuSession } from './session.js'
import { megabytes, type Traffic, totalOf } from './traffic.js'

/** What a run of a network asks of a GPU, whatever GPU that is. */
export interface Account extends Traffic {
  readonly network: string
  readonly dispatches: number
  readonly pipelines: number
  /** Entry points of shaders whose traffic is not modelled, which therefore is not in the sums. */
  readonly unknown: readonly string[]
  /** Median milliseconds of `session.run` on Dawn's null backend; or why there is none. */
  readonly script: number | string
  readonly ort: OrtKernels | string
}

/** Runs on the null backend: the first ones make everything and are not counted. */
const warmUps = 20
const runs = 300

export async function accountOf(subject: Subject, counting: boolean): Promise<Account> {
  const { dispatches, script } = await onNull(subject)
  return {
    network: subject.name,
    dispatches: dispatches.length,
    pipelines: new Set(dispatches.map(({ pipeline }) => pipeline)).size,
    ...totalOf(dispatches, 'f32'),
    script,
    ort: counting ? await ortKernels(subject) : 'not asked for'
  }
}

/** Its dispatches, and what JavaScript and Dawn take for them where nothing computes. */
async function onNull(subject: Subject): Promise<{ dispatches: readonly GpuDispatch[]; script: number | string }> {
  try {
    const { dispatches, milliseconds } = await runOn(await openNullGpu(), subject, warmUps + runs)
    return { dispatches, script: median(milliseconds.slice(warmUps)) }
  } catch (error) {
    // It has the least limits of WebGPU. Adapters have larger ones, and the dispatches are the same.
    const { dispatches } = await runOn(await openGpu(), subject, 0)
    return { dispatches, script: (error as Error).message.split('\n')[0] }
  }
}

async function runOn(gpu: GPU, subject: Subject, times: number) {
  env.webgpu.gpu = gpu
  const { session, feeds } = await gpuSession(subject, 'f32')
  const milliseconds: number[] = []
  // Free sizes are bound by a run.
  const needed = session.dispatches.length ? times : Math.max(times, 1)
  for (let i = 0; i < needed; i++) {
    const began = performance.now()
    await session.run(feeds)
    milliseconds.push(performance.now() - began)
  }
  const { dispatches } = session
  await session.release()
  return { dispatches, milliseconds }
}

/** A markdown table, which the terminal shows as well. */
export function accountTable(accounts: readonly Account[]): string {
  const columns: Column[] = [
    ['network', 'left'],
    ['dispatches', 'right'],
    ['pipelines', 'right'],
    ['MB moved', 'right'],
    ['MB at least', 'right'],
    ['moved / least', 'right'],
    ['MACs', 'right'],
    ['MACs done', 'right'],
    ['onnxruntime dispatches', 'right'],
    ['its nodes (on the CPU)', 'right'],
    ['JavaScript, ms', 'right']
  ]
  const rows = accounts.map(({ network, dispatches, pipelines, moved, least, macs, done, script, ort }) => [
    network,
    String(dispatches),
    String(pipelines),
    megabytes(moved),
    megabytes(least),
    (moved / least).toFixed(2),
    scaled(macs),
    scaled(done),
    typeof ort === 'string' ? '-' : String(ort.dispatches),
    typeof ort === 'string' ? '-' : `${ort.nodes} (${ort.onCpu})`,
    typeof script === 'string' ? '-' : script.toFixed(2)
  ])
  return markdownTable(columns, rows)
}

/** What stands behind a dash, and what the sums leave out. */
export function accountNotes(accounts: readonly Account[]): string[] {
  return accounts.flatMap(({ network, script, ort, unknown }) => [
    ...(typeof script === 'string' ? [`${network}, no time on the null backend: ${script}`] : []),
    ...(typeof ort === 'string' ? [`${network}, onnxruntime on webgpu: ${ort}`] : []),
    ...(unknown.length ? [`${network}: no traffic model for ${unknown.join(', ')}`] : [])
  ])
}

export function accountMarkdown(accounts: readonly Account[], { node }: { readonly node: string }): string {
  const notes = accountNotes(accounts)
  return `# What runs ask of a GPU

Written by \`npm run bench:gpu -- --account\` on Node ${node}; batch 1, float32. Nothing here is a time on a GPU.

- **dispatches, pipelines**: of one run, from \`session.dispatches\`.
- **MB moved**: bytes that the shaders' loads and stores ask the buffers for, after \`bench/gpu/traffic.ts\`; what goes through workgroup
  memory counts once for each workgroup that brings it there. Caches answer a part of it.
- **MB at least**: each dispatch reads each of its inputs once and writes each output once.
- **MACs, MACs done**: of the convolutions and products, and what is left of them with Winograd.
- **onnxruntime dispatches, nodes**: of onnxruntime-node's \`webgpu\` provider, from its own profile of one run: programs
  handed to the GPU, and nodes of its optimised graph, in brackets those that run on the CPU.
- **JavaScript**: median of ${runs} calls of \`session.run\` on Dawn's null backend, where nothing computes: writing the inputs, recording,
  validating, submitting, and the way back. It depends on this machine, which is shared; it is no time of a GPU.

${accountTable(accounts)}
${notes.length ? `\n${notes.map(note => `- ${note}`).join('\n')}\n` : ''}`
}
