// The operator cases, what each is run on, and when its results are right; shared by the runners.
import * as assert from 'uvu/assert'
import { columns } from '../../ops/conv/columns.js'
import { conv } from '../../ops/conv/conv.js'
import { convTranspose } from '../../ops/conv/conv-transpose.js'
import { winograd } from '../../ops/conv/winograd.js'
import { einsum } from '../../ops/dense/einsum.js'
import { fused } from '../../ops/dense/fused.js'
import { gemm } from '../../ops/dense/gemm.js'
import { gemmHalf } from '../../ops/dense/gemm-half.js'
import { integer } from '../../ops/dense/integer.js'
import { bits } from '../../ops/elementwise/bits.js'
import { compound } from '../../ops/elementwise/compound.js'
import { activations, elementwise } from '../../ops/elementwise/elementwise.js'
import { epilogues } from '../../ops/elementwise/epilogue.js'
import { gridsample } from '../../ops/image/gridsample.js'
import { resize } from '../../ops/image/resize.js'
import { roialign } from '../../ops/image/roialign.js'
import { gather } from '../../ops/movement/gather.js'
import { movement } from '../../ops/movement/movement.js'
import { onehot } from '../../ops/movement/onehot.js'
import { pad } from '../../ops/movement/pad.js'
import { positions } from '../../ops/movement/positions.js'
import { scatter } from '../../ops/movement/scatter.js'
import { sequences } from '../../ops/movement/sequences.js'
import { groupnorm } from '../../ops/norm/groupnorm.js'
import { layernorm } from '../../ops/norm/layernorm.js'
import { normalize } from '../../ops/norm/normalize.js'
import { softmax } from '../../ops/norm/softmax.js'
import { lp } from '../../ops/pool/lp.js'
import { pool } from '../../ops/pool/pool.js'
import { poolIndex } from '../../ops/pool/pool-index.js'
import { recurrent } from '../../ops/recurrent/recurrent.js'
import { cumsum } from '../../ops/reduce/cumsum.js'
import { reduce } from '../../ops/reduce/reduce.js'
import { argmax } from '../../ops/search/argmax.js'
import { nonMaxSuppression } from '../../ops/search/nms.js'
import { findings } from '../../ops/search/nonzero.js'
import { topk } from '../../ops/search/topk.js'
import { fourier } from '../../ops/signal/fourier.js'
import { assertClose, isTelling, tolerance } from '../compare.js'
import { type Bindings, type Named, type Numbers, Oracle, randomFeeds } from '../onnx/oracle.js'
import { isSteady } from '../onnx/steady.js'
import { Random } from '../random.js'
import { type Case, modelOf } from './case.js'

export const families = {
  conv,
  convTranspose,
  winograd,
  gemm,
  gemmHalf,
  pool,
  poolIndex,
  reduce,
  recurrent,
  softmax,
  normalize,
  groupnorm,
  layernorm,
  resize,
  pad,
  gather,
  scatter,
  argmax,
  cumsum,
  onehot,
  topk,
  gridsample,
  roialign,
  nonMaxSuppression,
  activations,
  elementwise,
  epilogues,
  movement,
  compound,
  einsum,
  integer,
  bits,
  lp,
  positions,
  columns,
  findings,
  fused,
  fourier,
  sequences
}

/** Those that are the same whatever the seed. */
export const fixedCases = (Object.values(families).flat() as readonly Case[]).filter(
  ({ name }) => !name.includes('drawn (')
)

export type Family = keyof typeof families

/** CAIRN_ONLY=text picks the cases whose names hold the text. */
export const only = process.env.CAIRN_ONLY

export interface NamedCase {
  readonly family: string
  readonly item: Case
  /** Unique within the family; the name is so among all. */
  readonly title: string
  readonly name: string
}

/** The cases of one family that are wanted. */
export function casesOf(family: Family): NamedCase[] {
  const names = new Set<string>()
  const cases: NamedCase[] = []
  for (const item of families[family] as readonly Case[]) {
    const title = item.name.startsWith(item.op) ? item.name : `${item.op}, ${item.name}`
    const name = `${family}: ${title}`
    if (only && !name.includes(only)) continue
    if (names.has(name)) throw new Error(`two cases are named "${name}"`)
    names.add(name)
    cases.push({ family, item, title, name })
  }
  return cases
}

export interface Prepared {
  readonly model: Uint8Array
  readonly runs: readonly { bindings: Bindings; feeds: Named; expected: Record<string, Numbers> }[]
}

/**
 * The model, inputs and expected outputs of a case, shared by the backends. Inputs that no wrong result would betray, a
 * handful of booleans that all came out true, are drawn again, and such as leave only rounding, the far tail of a Gelu, or of
 * which rounding decides, the Floor of almost a whole number. A case that is about ties stays with the last that it drew.
 */
export async function prepare({ family, item }: NamedCase): Promise<Prepared> {
  const random = new Random(`${family} ${item.name}`)
  let drawn = await draw(item, random)
  for (let i = 0; i < 20 && !item.expected && !(drawn.isTold && drawn.isSteady); i++) {
    const next = await draw(item, random)
    if (next.isTold || !drawn.isTold) drawn = next
  }
  return drawn
}

async function draw(item: Case, random: Random): Promise<Prepared & { isTold: boolean; isSteady: boolean }> {
  const builder = modelOf(item, random)
  const model = builder.encode()
  const oracle = item.expected ? undefined : await Oracle.load(model)
  const runs: Prepared['runs'][number][] = []
  let steady = true
  for (const bindings of item.bindings ?? [{}]) {
    const feeds = randomFeeds(builder.inputs, random, bindings)
    const run = { bindings, feeds, expected: oracle ? await oracle.run(feeds) : {} }
    runs.push(run)
    if (oracle && steady) steady = await isSteady(oracle, run, random, item.tolerance)
  }
  await oracle?.release()
  return { model, runs, isTold: runs.every(isWorthRunning), isSteady: steady }
}

function isWorthRunning({ feeds, expected }: Prepared['runs'][number]): boolean {
  const size = Math.min(1, ...Object.values(feeds).filter(isFloat).map(largestOf))
  return (
    canFail(expected) && Object.values(expected).every(output => !isFloat(output) || largestOf(output) > size / 1e3)
  )
}

const isFloat = ({ dtype }: Numbers) => dtype.startsWith('float')

/** The largest magnitude among the finite elements. */
function largestOf({ data }: Numbers): number {
  let largest = 0
  for (let i = 0; i < data.length; i++) if (Number.isFinite(data[i])) largest = Math.max(largest, Math.abs(data[i]))
  return largest
}

const canFail = (expected: Named) => Object.values(expected).some(isTelling)

/** Throws unless `actual` is what the case expects of a run. */
export function checkRun(item: Case, actual: Record<string, Numbers>, expected: Record<string, Numbers>): void {
  const limit = item.tolerance?.limit ?? tolerance
  const wanted = item.expected ? knownOutputs(actual, item.expected.outputs) : expected
  assertClose(actual, wanted, limit)
  if (item.expected) return
  assert.ok(canFail(expected), 'the case cannot fail: all its outputs are one number')
}

function knownOutputs(actual: Record<string, Numbers>, outputs: readonly (readonly number[])[]): Named {
  return Object.fromEntries(
    Object.entries(actual).map(([name, { dtype, dims }], i) => [name, { dtype, dims, data: outputs[i] }])
  )
}
