import type { ImportOptions } from '../../compiler/onnx/index.js'
import type { Bindings } from '../../runtime/file/index.js'
import { about, type BuiltModel } from '../model/index.js'
import { kernelsOf, layersOf, originalGraph } from './layers.js'
import { memoryReport } from './memory.js'
import type { ReportContent } from './report.js'

/** Where a compiled model is from. */
interface Source {
  readonly path: string
  readonly bytes: Uint8Array
  readonly imported: ImportOptions
}

/** What a page shows of a compiled model, but for its facts. */
export async function contentOf(
  built: BuiltModel,
  { path, bytes, imported }: Source,
  bindings: Bindings
): Promise<Pick<ReportContent, 'title' | 'passes' | 'layers' | 'plan'>> {
  const { program, passes } = built
  return {
    title: program.name,
    passes: passes.map(({ name, did, nodes }) => [name, did ?? '-', String(nodes)]),
    layers: await about(path, () => layersOf(originalGraph(bytes, imported), bindings, kernelsOf(built))),
    plan: memoryReport(program, bindings)
  }
}
