// The official ONNX tests, as Debian's libonnx-testdata or a checkout of onnx holds them: a folder a test, with
// model.onnx and folders of inputs and expected outputs.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { cacheFolder } from '../../../cli/model/archive.js'
import { decodeElements, dtypeNames } from '../../../compiler/onnx/tensor-proto.js'
import { decodeModel, encodeModel } from './model.js'
import type { Named, Numbers } from './oracle.js'

const { TensorProto, AttributeProto } = onnxProto.onnx

export const suites = ['node', 'pytorch-converted', 'pytorch-operator', 'simple'] as const

/** The folder with the suites: named, installed, or fetched; undefined where there is none. */
export function officialData(): string | undefined {
  const places = [process.env.CAIRN_ONNX_TESTS, '/usr/share/libonnx-testdata'].filter(place => place !== undefined)
  const suitesIn = (place: string) => [place, join(place, 'data')].find(path => existsSync(join(path, 'node')))
  return places.map(suitesIn).find(path => path !== undefined) ?? suitesIn(fetched())
}

/** Debian's package, unpacked into the cache by Debian's own tools; an empty place where these are missing. */
function fetched(): string {
  const target = join(cacheFolder(), 'libonnx-testdata')
  const inside = join(target, 'usr', 'share', 'libonnx-testdata')
  if (existsSync(inside)) return inside
  const temporary = mkdtempSync(`${target}-`)
  const quiet = { cwd: temporary, stdio: 'ignore', timeout: 60_000 } as const
  try {
    execFileSync('apt-get', ['download', 'libonnx-testdata'], quiet)
    const [archive] = readdirSync(temporary)
    execFileSync('dpkg-deb', ['-x', archive, '.'], quiet)
    if (!existsSync(target)) renameSync(temporary, target)
  } catch {
    // Not a Debian, or no network: the tests say that they are skipped.
  }
  rmSync(temporary, { recursive: true, force: true })
  return inside
}

export interface Official {
  /** `node/test_abs`. */
  readonly name: string
  readonly folder: string
  readonly model: onnx.IModelProto
  readonly operators: ReadonlySet<string>
}

export interface Run {
  readonly model: Uint8Array
  readonly feeds: Named
  readonly expected: Named
}

export function testsOf(data: string, suite: string): Official[] {
  return readdirSync(join(data, suite))
    .filter(name => name.startsWith('test_'))
    .sort()
    .map(name => {
      const folder = join(data, suite, name)
      const model = decodeModel(readFileSync(join(folder, 'model.onnx')))
      return { name: `${suite}/${name}`, folder, model, operators: operatorsOf(model.graph!) }
    })
}

function operatorsOf(graph: onnx.IGraphProto, found = new Set<string>()): Set<string> {
  for (const node of graph.node ?? []) {
    found.add(node.domain && node.domain !== 'ai.onnx' ? `${node.domain}:${node.opType}` : node.opType!)
    for (const { type, g } of node.attribute ?? [])
      if (type === AttributeProto.AttributeType.GRAPH) operatorsOf(g!, found)
  }
  return found
}

/** The test's sets of inputs and outputs, each with a model in which the settings among the inputs are constants. */
export function* runsOf({ folder, model }: Official): Generator<Run> {
  const graph = model.graph!
  const constants = new Set(graph.initializer?.map(({ name }) => name))
  const inputs = graph.input!.filter(({ name }) => !constants.has(name))
  const settings = settingsOf(graph)
  for (const set of readdirSync(folder).filter(name => name.startsWith('test_data_set'))) {
    const read = (kind: string, i: number) => readFileSync(join(folder, set, `${kind}_${i}.pb`))
    const fed = inputs.flatMap(({ name }, i) => (settings.has(name!) ? [] : [[name!, numbersOf(read('input', i))]]))
    const fixed = inputs.flatMap(({ name }, i) =>
      settings.has(name!) ? [{ ...TensorProto.decode(read('input', i)), name: name! }] : []
    )
    const bound = { ...model, graph: { ...graph, initializer: [...(graph.initializer ?? []), ...fixed] } }
    yield {
      model: encodeModel(bound as onnx.IModelProto),
      feeds: Object.fromEntries(fed),
      expected: Object.fromEntries(graph.output!.map(({ name }, i) => [name!, numbersOf(read('output', i))]))
    }
  }
}

function numbersOf(bytes: Uint8Array): Numbers {
  const tensor = TensorProto.decode(bytes)
  const dims = tensor.dims.map(Number)
  const dtype = dtypeNames[tensor.dataType]
  if (!dtype) throw new Error(`tensors of ONNX's element type ${tensor.dataType} are not supported`)
  const raw = tensor.rawData?.length ? tensor.rawData : undefined
  const count = dims.reduce((a, b) => a * b, 1)
  return { dtype, dims, data: decodeElements(tensor, raw, count, `tensor "${tensor.name}"`) }
}

/**
 * Inputs that say what to compute rather than with what: shapes, axes, ranges, and what these are computed from. The
 * tests feed them; a compiler ahead of time has to know them, and every model of the real world has them as constants.
 */
const settings: Readonly<Record<string, readonly number[]>> = {
  AffineGrid: [1],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Col2Im: [1, 2],
  ConstantOfShape: [0],
  CumSum: [1],
  DFT: [1, 2],
  Dropout: [1, 2],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  If: [0],
  Loop: [0, 1],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1, 2, 3, 4],
  NonMaxSuppression: [2, 3, 4],
  OneHot: [1],
  Pad: [1, 2, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  STFT: [1, 3],
  SequenceAt: [1],
  SequenceErase: [1],
  SequenceInsert: [2],
  Slice: [1, 2, 3, 4],
  Split: [1],
  SplitToSequence: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1]
}

function settingsOf(graph: onnx.IGraphProto): Set<string> {
  const found = new Set<string>()
  for (const { opType, input = [], output } of [...(graph.node ?? [])].reverse()) {
    const own = settings[opType!] ?? (opType!.startsWith('Reduce') ? [1] : [])
    const computed = output!.some(name => found.has(name)) && !['Shape', 'Size'].includes(opType!)
    input!.forEach((name, index) => {
      if (computed || own.includes(index)) found.add(name)
    })
  }
  return found
}
