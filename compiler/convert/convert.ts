import { free } from '../algebra/index.js'
import { refuseUnknown } from '../build.js'
import { CompileError } from '../errors.js'
import { type Graph, isConstant } from '../graph/index.js'
import { infer } from '../infer/index.js'
import { emitOnnx, fetchExternal, type ImportOptions, importOnnx } from '../onnx/index.js'
import { deadCode } from '../passes/index.js'
import { denseToConv } from './dense-to-conv.js'

/** How an ONNX model is written anew. */
export interface ConvertOptions extends Omit<ImportOptions, 'externalData'> {
  /** Contents of an external data file by the location that the model names. */
  readonly externalData?: (location: string) => Uint8Array | Promise<Uint8Array>
  /**
   * Fully connected layers become convolutions, whose kernels are as large as the maps that were flattened, and height and width of
   * pictures become free: the classifier slides over larger pictures (Sermanet et al. 2014, "OverFeat", section 3.5), and gives maps
   * of classes in the place of rows. On pictures of the size that the model had it gives the same numbers, as maps of one place.
   */
  readonly denseToConv?: boolean
}

/**
 * ONNX bytes to other ONNX bytes that say the same: shapes inferred, what constants give computed, external data taken in, and as
 * `options` ask. Throws CompileError, one line, for what cannot be read or written so.
 */
export async function convert(bytes: Uint8Array, options: ConvertOptions = {}): Promise<Uint8Array> {
  const { externalData } = options
  const imported = { ...options, externalData: externalData && (await fetchExternal(bytes, externalData)) }
  const graph = opened(bytes, imported)
  if (!options.denseToConv) return emitOnnx(graph, bytes)
  const open = opened(bytes, imported, freeSides)
  denseToConv(open, graph, note => options.onNote?.(note))
  infer(open)
  deadCode.run(open)
  return emitOnnx(open, bytes)
}

/** The model in ONNX's operators, shapes inferred, without nodes of constants. */
function opened(bytes: Uint8Array, options: ImportOptions, change?: (graph: Graph) => void): Graph {
  const graph = importOnnx(bytes, options)
  change?.(graph)
  refuseUnknown(graph)
  infer(graph)
  graph.outputTypes = graph.outputs.map(output => output.dtype)
  for (const node of [...graph.nodes]) {
    if (!node.outputs.every(isConstant)) continue
    for (const output of node.outputs) output.producer = undefined
    graph.remove(node)
  }
  deadCode.run(graph)
  return graph
}

/** Gives pictures free heights and widths, the same for all. */
function freeSides(graph: Graph): void {
  for (const input of graph.inputs) {
    const { name, shape } = input
    if (shape.length !== 4) continue
    if (!shape.slice(1).every(size => typeof size === 'number'))
      throw new CompileError(
        `input "${name}" has free sides, and nothing says how large a crop is; --shape ${name}=Nx3x224x224, or another size, is allowed`
      )
    input.shape = [shape[0], shape[1], free('H'), free('W')]
  }
}
