// The operator cases, what each is run on, and when its results are right; shared by the runners.
import * as assert from 'uvu/assert'
import { argmax } from '../ops/argmax.js'
import { bits } from '../ops/bits.js'
import { columns } from '../ops/columns.js'
import { compound } from '../ops/compound.js'
import { conv } from '../ops/conv.js'
import { convTranspose } from '../ops/conv-transpose.js'
import { cumsum } from '../ops/cumsum.js'
import { einsum } from '../ops/einsum.js'
import { activations, elementwise } from '../ops/elementwise.js'
import { epilogues } from '../ops/epilogue.js'
import { gather } from '../ops/gather.js'
import { gemm } from '../ops/gemm.js'
import { gemmHalf } from '../ops/gemm-half.js'
import { gridsample } from '../ops/gridsample.js'
import { groupnorm } from '../ops/groupnorm.js'
import { integer } from '../ops/integer.js'
import { layernorm } from '../ops/layernorm.js'
import { lp } from '../ops/lp.js'
import { movement } from '../ops/movement.js'
import { nonMaxSuppression } from '../ops/nms.js'
import { findings } from '../ops/nonzero.js'
import { normalize } from '../ops/normalize.js'
import { onehot } from '../ops/onehot.js'
import { pad } from '../ops/pad.js'
import { pool } from '../ops/pool.js'
import { poolIndex } from '../ops/pool-index.js'
import { positions } from '../ops/positions.js'
import { reduce } from '../ops/reduce.js'
import { resize } from '../ops/resize.js'
import { roialign } from '../ops/roialign.js'
import { scatter } from '../ops/scatter.js'
import { softmax } from '../ops/softmax.js'
import { topk } from '../ops/topk.js'
import { winograd } from '../ops/winograd.js'
import { type Case, modelOf } from './case.js'
import { assertClose, isTelling, tolerance } from './compare.js'
import { type Bindings, type Named, type Numbers, Oracle, randomFeeds } from './oracle.js'
import { Random } from './random.js'

export const families = {
  conv,
  convTranspose,
  winograd,
  gemm,
  gemmHalf,
  pool,
  poolIndex,
  reduce,
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
  findings
}

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
 * handful of booleans that all came out true, are drawn again, and such as leave only rounding: the far tail of a Gelu.
 */
export async function prepare({ family, item }: NamedCase): Promise<Prepared> {
  const random = new Random(`${family} ${item.name}`)
  let prepared = await draw(item, random)
  for (let i = 0; i < 20 && !item.expected && !prepared.runs.every(isWorthRunning); i++)
    prepared = await draw(item, random)
  return prepared
}

async function draw(item: Case, random: Random): Promise<Prepared> {
  const builder = modelOf(item, random)
  const model = builder.encode()
  const oracle = item.expected ? undefined : await Oracle.load(model)
  const runs: Prepared['runs'][number][] = []
  for (const bindings of item.bindings ?? [{}]) {
    const feeds = randomFeeds(builder.inputs, random, bindings)
    const expected = oracle ? await oracle.run(feeds) : {}
    runs.push({ bindings, feeds, expected })
  }
  await oracle?.release()
  return { model, runs }
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
