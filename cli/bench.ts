import type { Graph } from '../compiler/graph/index.js'
import { ops } from '../compiler/ops/index.js'
import { type Bindings, encode, evaluate } from '../runtime/file/index.js'
import { InferenceSession, type Tensor } from '../runtime/index.js'
import { type Allowance, deviceOption, sessionOptionsOf, wideOption } from './device/index.js'
import {
  contest,
  findEngine,
  gflops,
  medianCalls,
  type NodeFacts,
  openOn,
  orReason,
  Peak,
  type PeerName,
  type Profile,
  peerNames,
  profileOf,
  profileText,
  type Standing,
  type Subject,
  titles,
  worstOf
} from './measure/index.js'
import {
  about,
  bindDims,
  buildModel,
  decodeModel,
  describeBindings,
  type Given,
  givenOf,
  givenOptions,
  readModel,
  settingFeeds,
  withGiven,
  withRandom
} from './model/index.js'
import {
  type Command,
  type Flags,
  jsonOption,
  Progress,
  print,
  printJson,
  scaled,
  short,
  table,
  UsageError
} from './terminal/index.js'
import { allowanceFor, drawInputs } from './verify.js'

/** Errors over the maximum that peers may have against Cairn. */
const ofFloats = 1e-3
const ofBytes = 0.1

/** `cairn bench`: verify, then time, alone or against peers. */
export const bench: Command = {
  name: 'bench',
  usage: '<model...>',
  summary: 'Verify .onnx or .cairn models, then time them, alone or against other runtimes.',
  options: [
    deviceOption,
    { flag: '--threads', value: 'N', help: 'threads of every runtime (default 1)' },
    wideOption,
    { flag: '--vs', value: 'LIST', help: `runtimes to compare with: ${peerNames.join(', ')} (installed by you)` },
    { flag: '--profile', help: 'the time of every layer and every kernel' },
    { flag: '--dims', value: 'N=1,H=64', help: 'free dimensions (default 1 for the batch, 64 else)' },
    ...givenOptions,
    { flag: '--seconds', value: 'S', help: 'time for the measured runs of one model (default 3)' },
    { flag: '--starts', value: 'K', help: 'cold starts in fresh processes, 0 for none (default 3)' },
    { flag: '--seed', value: 'S', help: 'seed of the drawn inputs' },
    jsonOption
  ],
  examples: ['mobilenet.onnx --vs ort-web,tfjs', 'unet.cairn --dims H=256,W=256 --profile'],

  async run(paths, flags) {
    const settings = await settingsOf(flags)
    for (const peer of settings.peers) await findEngine(peer)
    const progress = new Progress(paths.length * 4)
    let done = 0
    const step = (doing: string) => progress.step(done++ % (paths.length * 4), doing)
    const peak = ['wasm', 'auto'].includes(settings.device) ? await Peak.open() : undefined
    const reports: Report[] = []
    for (const path of paths) {
      const report = await measure(path, settings, peak, step)
      reports.push(report)
      if ('error' in report.verified && report.verified.differs !== undefined) {
        process.stderr.write(`cairn: warning: ${report.verified.differs}\n`)
        process.exitCode = 1
      }
      if (!flags.has('json')) {
        progress.stop()
        print(`${textOf(report, settings)}\n`)
      }
    }
    progress.stop()
    await peak?.release()
    if (flags.has('json'))
      printJson({
        device: reports[0]?.device ?? settings.device,
        threads: settings.threads,
        node: process.version,
        models: reports
      })
  }
}

interface Settings {
  readonly device: string
  readonly threads: number
  readonly peers: readonly PeerName[]
  readonly seconds: number
  readonly starts: number
  readonly profile: boolean
  readonly dims: readonly [string, string][]
  readonly given: Given
  readonly seed: number | undefined
}

async function settingsOf(flags: Flags): Promise<Settings> {
  const seconds = flags.number('seconds') ?? 3
  if (seconds <= 0) throw new UsageError(`--seconds ${seconds}: a number above 0 is allowed`)
  const { device, numThreads } = await sessionOptionsOf(flags)
  return {
    device,
    threads: numThreads,
    peers: peersOf(flags.text('vs')),
    seconds,
    starts: flags.whole('starts', 0) ?? 3,
    profile: flags.has('profile'),
    dims: flags.dims('dims'),
    given: givenOf(flags),
    seed: flags.whole('seed', 0)
  }
}

function peersOf(text: string | undefined): PeerName[] {
  const names = new Set(text?.split(',').map(name => name.trim()))
  return [...names].map(name => {
    const found = peerNames.find(peer => peer === name)
    if (!found) throw new UsageError(`--vs ${name}: ${peerNames.join(', ')} are allowed, joined by commas`)
    return found
  })
}

type Verified = { readonly error: number; readonly differs?: string } | { readonly skipped: string }

interface Report {
  readonly model: string
  readonly device: string
  readonly dims: Bindings
  readonly macs: number
  /** Against onnxruntime-node; or why there was no comparison. */
  readonly verified: Verified
  /** Gigaflops a second of one thread. */
  readonly peak: number | undefined
  readonly standings: readonly (Standing & { readonly gflops?: number; readonly share?: number })[]
  readonly profile?: Profile
}

interface Loaded {
  readonly subject: Subject
  readonly feeds: Record<string, Tensor>
  readonly facts: ReadonlyMap<string, NodeFacts>
  /** How far off onnxruntime may be; nothing of a compiled file, which is not compared. */
  readonly allowance?: Allowance
}

/** The model with inputs: scenes where it takes pictures, in the range in which rounding matters least. */
async function load(path: string, { device, dims, given, seed }: Settings): Promise<Loaded> {
  const model = withGiven(readModel(path), given)
  const inputs = (feeds: Record<string, Tensor>) =>
    Object.entries(feeds).map(([name, { type, dims, data }]) => ({ name, type, dims, data }))
  if (model.kind === 'cairn') {
    const { header } = await decodeModel(model)
    const bindings = bindDims(header, dims)
    const feeds = withRandom({}, header.inputs, bindings, seed ?? 1)
    const macs = evaluate(header.macs, bindings)
    return { subject: { name: path, file: model.bytes, bindings, feeds: inputs(feeds), macs }, feeds, facts: new Map() }
  }
  const { graph, program, summary } = await buildModel(model)
  const bindings = bindDims(program, dims)
  const file = encode(program, summary)
  const session = await about(path, () => InferenceSession.create(file, { executionProviders: [device] }))
  const { feeds } = await drawInputs({ session, program, summary }, program.inputs, {}, bindings, seed)
  await session.release()
  const source = { onnx: model.bytes, graph }
  const macs = evaluate(program.macs, bindings)
  return {
    subject: { name: path, file, source, bindings, feeds: inputs(feeds), settings: inputs(settingFeeds(model)), macs },
    feeds,
    facts: factsOf(graph, bindings),
    allowance: await allowanceFor(model)
  }
}

function factsOf(graph: Graph, bindings: Bindings): Map<string, NodeFacts> {
  return new Map(
    graph.nodes.map(node => [
      node.name,
      {
        macs: evaluate(ops[node.op].macs?.(node) ?? 0, bindings),
        shape: node.output.shape.map(dim => evaluate(dim, bindings))
      }
    ])
  )
}

/** The device of all measurements: what `auto` chooses, it chooses once. */
async function settled(file: Uint8Array, settings: Settings): Promise<Settings> {
  if (settings.device !== 'auto') return settings
  const session = await InferenceSession.create(file, { executionProviders: ['auto'] })
  await session.release()
  return { ...settings, device: session.device }
}

async function measure(
  path: string,
  asked: Settings,
  peak: Peak | undefined,
  step: (doing: string) => void
): Promise<Report> {
  step(path)
  const { subject, feeds, facts, allowance } = await load(path, asked)
  const settings = await settled(subject.file, asked)
  const { device, threads, peers, seconds, starts } = settings
  const { macs } = subject
  const verified = await verifyOn(subject, settings, allowance)
  const before = (await peak?.measure()) ?? 0
  const patience = { seconds }
  const tolerance = allowance?.steps ? ofBytes : ofFloats
  const standings = await contest(subject, { device, threads, peers, patience, tolerance, starts, onStep: step })
  const rate = Math.max(before, (await peak?.measure()) ?? 0)
  let profile: Profile | undefined
  if (settings.profile) {
    const options = { executionProviders: [device], numThreads: threads }
    const session = await InferenceSession.create(subject.file, options)
    profile = profileOf(await medianCalls(session, feeds, Math.min(seconds, 2)), facts)
    await session.release()
  }
  return {
    model: path,
    device,
    dims: subject.bindings,
    macs,
    verified,
    peak: rate || undefined,
    standings: standings.map(standing => {
      if (!standing.times || !macs) return standing
      const speed = gflops(macs, standing.times.median)
      return { ...standing, gflops: speed, share: rate ? speed / (rate * threads) : undefined }
    }),
    profile
  }
}

/** Of a model that computes something else a warning tells, and the exit code. */
async function verifyOn(
  subject: Subject,
  { device, threads }: Settings,
  allowance: Allowance | undefined
): Promise<Verified> {
  if (!subject.source || !allowance) return { skipped: 'a compiled file alone has nothing to be compared with' }
  const found = await orReason(() => findEngine('ort-node'))
  if (typeof found === 'string') return { skipped: found }
  const [own, reference] = [
    await openOn('cairn', subject, { device, threads }),
    await openOn('ort-node', subject, { threads })
  ]
  const worst = worstOf(await own.run(), await reference.run())
  await own.release()
  await reference.release()
  if (allowance.passes(worst)) return { error: worst.relative }
  const differs = `${subject.name}: output "${worst.name}" differs from onnxruntime by ${allowance.spoken(worst)}; ${allowance.text} ${allowance.steps ? 'are' : 'is'} allowed (see cairn verify)`
  return { error: worst.relative, differs }
}

function textOf({ model, device, dims, macs, verified, peak, standings, profile }: Report, settings: Settings): string {
  const { threads } = settings
  const rows = standings.map(({ engine, times, ratio, gflops, share, cold }) => [
    titles[engine],
    times ? times.median.toFixed(2) : '',
    times ? `${times.low.toFixed(2)}-${times.high.toFixed(2)}` : '',
    gflops ? gflops.toFixed(1) : '',
    share ? `${(share * 100).toFixed(0)} %` : '',
    ratio ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}-${ratio.high.toFixed(2)})` : '',
    cold ? cold.load.toFixed(0) : '',
    cold ? cold.firstRun.toFixed(0) : '',
    cold ? cold.total.toFixed(0) : ''
  ])
  const header = ['runtime', 'ms', 'quartiles', 'GFLOP/s', 'of peak', 'ratio', 'load', 'first run', 'cold start']
  const align = header.map((_, i) => (i ? 'right' : 'left'))
  const lines = [
    `${model} at ${describeBindings(dims)}: ${scaled(macs)} MACs, ${device}, ${threads === 1 ? '1 thread' : `${threads} threads`}`,
    'error' in verified
      ? `${verified.differs === undefined ? 'verified against' : 'DIFFERS from'} onnxruntime-node: largest relative error ${short(verified.error)}`
      : `not verified: ${verified.skipped}`,
    ...(peak ? [`peak measured beside it: ${peak.toFixed(1)} GFLOP/s a thread`] : []),
    '',
    table(header, rows, align),
    ...standings.filter(({ refusal }) => refusal).map(({ engine, refusal }) => `${titles[engine]}: ${refusal}`)
  ]
  if (settings.starts)
    lines.push('cold start: importing the runtime, loading the model and the first run, in a fresh process (ms)')
  if (profile) lines.push('', profileText(profile, (peak ?? 0) * threads))
  return lines.join('\n')
}
