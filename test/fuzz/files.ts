// One spoilt file by its number: the same seed and number give the same bytes.
import { digest } from '../../runtime/base/digest.js'
import { decodeModel, encodeModel } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { byteMutations } from './bytes.js'
import { cairnMutations, harmless as harmlessCairn, joined, split, withHeaderBytes } from './cairn.js'
import { harmless as harmlessOnnx, onnxMutations } from './onnx.js'
import { cairnSeed, type Kind, onnxSeed, patchSeed, type Seed } from './seeds.js'

export interface Spoilt {
  readonly kind: Kind
  readonly bytes: Uint8Array
  readonly seed: Seed
  /** What was done to the seed. */
  readonly done: readonly string[]
  /** Whether it still means the same. */
  readonly same: boolean
  readonly random: Random
}

const pick = <T>(table: Readonly<Record<string, T>>, random: Random): [string, T] => random.pick(Object.entries(table))

export async function spoiltFile(kind: Kind, seed: number, number: number): Promise<Spoilt> {
  const random = new Random(`${kind} ${number}`, seed)
  if (kind === 'onnx') return spoiltOnnx(random)
  return kind === 'cairn' ? spoiltCairn(random) : spoiltPatch(random)
}

/** Some mutations leave nothing that can be written down. */
function encoded(encode: () => Uint8Array): Uint8Array | undefined {
  try {
    return encode()
  } catch {
    return undefined
  }
}

function ofBytes(kind: Kind, seed: Seed, random: Random): Spoilt {
  const [name, mutate] = pick(byteMutations, random)
  return { kind, bytes: mutate(new Uint8Array(seed.bytes), random), seed, done: [name], same: false, random }
}

function spoiltOnnx(random: Random): Spoilt {
  const seed = onnxSeed(random)
  const fate = random.next()
  if (fate < 0.25) return ofBytes('onnx', seed, random)
  const model = decodeModel(seed.bytes)
  const same = fate < 0.35
  const done: string[] = []
  for (let times = same ? 2 : random.pick([1, 1, 1, 2, 4]); times > 0; times--) {
    const [name, mutate] = pick(same ? harmlessOnnx : onnxMutations, random)
    mutate(model.graph!, random, model)
    done.push(name)
  }
  const bytes = encoded(() => encodeModel(model))
  return bytes ? { kind: 'onnx', bytes, seed, done, same, random } : ofBytes('onnx', seed, random)
}

async function spoiltCairn(random: Random): Promise<Spoilt> {
  const seed = await cairnSeed(random)
  const fate = random.next()
  if (fate < 0.1) return ofBytes('cairn', seed, random)
  if (fate < 0.25) {
    const [name, mutate] = pick(byteMutations, random)
    const bytes = withHeaderBytes(seed.bytes, head => mutate(head, random))
    return { kind: 'cairn', bytes, seed, done: [`${name}, in the header`], same: false, random }
  }
  const { header, body } = split(seed.bytes)
  const same = fate < 0.35
  const done: string[] = []
  for (let times = same ? 2 : random.pick([1, 1, 1, 1, 2, 5]); times > 0; times--) {
    const [name, mutate] = pick(same ? harmlessCairn : cairnMutations, random)
    mutate(header, random, body)
    done.push(name)
  }
  const keep = done.some(name => name.includes('digest'))
  const bytes = encoded(() => joined(header, body, keep))
  return bytes ? { kind: 'cairn', bytes, seed, done, same, random } : ofBytes('cairn', seed, random)
}

function spoiltPatch(random: Random): Spoilt {
  const { model, patch } = patchSeed(random)
  const [name, mutate] = pick(byteMutations, random)
  const seed = { name: 'patch', bytes: model, bindings: {}, options: {} }
  if (random.chance(0.3))
    return { kind: 'patch', bytes: mutate(patch, random), seed, done: [name], same: false, random }
  const body = mutate(patch.slice(12), random)
  const bytes = new Uint8Array([...patch.subarray(0, 12), ...body])
  new DataView(bytes.buffer).setUint32(8, digest(body), true)
  return { kind: 'patch', bytes, seed, done: [`${name}, digest right`], same: false, random }
}
