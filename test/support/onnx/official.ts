// The official ONNX tests, as Debian's libonnx-testdata or a checkout of onnx holds them: a folder a test, with
// model.onnx and folders of inputs and expected outputs.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { cacheFolder } from '../../../cli/model/archive.js'
import { declaredPorts } from '../../../compiler/onnx/ports.js'
import { decodeElements, dtypeNames } from '../../../compiler/onnx/tensor-proto.js'
import { decodeModel, encodeModel, tensorProto } from './model.js'
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
  readonly settings: Named
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

/** The test's sets of inputs and outputs; the settings among the inputs are known when compiling. */
export function* runsOf({ folder, model }: Official): Generator<Run> {
  const graph = model.graph!
  const constants = new Set(graph.initializer?.map(({ name }) => name))
  const inputs = graph.input!.filter(({ name }) => !constants.has(name))
  const bytes = encodeModel(model)
  const names = new Set(declaredPorts(bytes).settings)
  for (const set of readdirSync(folder).filter(name => name.startsWith('test_data_set'))) {
    const read = (kind: string, i: number) => readFileSync(join(folder, set, `${kind}_${i}.pb`))
    const given = inputs.map(({ name }, i) => [name!, numbersOf(read('input', i))] as const)
    yield {
      model: bytes,
      settings: Object.fromEntries(given.filter(([name]) => names.has(name))),
      feeds: Object.fromEntries(given.filter(([name]) => !names.has(name))),
      expected: Object.fromEntries(graph.output!.map(({ name }, i) => [name!, numbersOf(read('output', i))]))
    }
  }
}

/** The model with inputs as the constants that they are in files: all but the first. */
export function withConstants(model: Uint8Array, feeds: Named): Uint8Array {
  const { graph, ...rest } = decodeModel(model)
  const constants = Object.entries(feeds).slice(1)
  const initializer = constants.map(([name, numbers]) => tensorProto(name, numbers))
  const input = graph!.input!.filter(({ name }) => !constants.some(([constant]) => constant === name))
  return encodeModel({ ...rest, graph: { ...graph!, input, initializer } })
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
