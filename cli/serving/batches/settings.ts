import { createHash } from 'node:crypto'
import { encode } from '../../../runtime/file/index.js'
import {
  buildModel,
  exposeValues,
  externalDataOf,
  fileOf,
  type ModelFile,
  ownClasses,
  readModel
} from '../../model/index.js'
import type { Preparation } from '../../pictures/index.js'
import { InputError } from '../../terminal/index.js'
import type { Pictures, Task } from '../pool/index.js'

/** What a batch does to each of its inputs; with the model's digest all that a worker needs to know. */
export interface Settings {
  readonly task: Task
  readonly pictures: Pictures
  /** Of the .cairn file. */
  readonly digest: string
}

export interface Prepared {
  readonly settings: Settings
  readonly file: Uint8Array
}

export type TaskName = Task['kind']

/** Compiles the model for the task: with the features as an output of its own, where they are wanted. */
export async function prepare(
  path: string,
  name: TaskName,
  top: number,
  labels: readonly string[] | undefined,
  preparation: Preparation
): Promise<Prepared> {
  const model = readModel(path)
  const { file, features } =
    name === 'embed' ? await embedding(model) : { file: await fileOf(model), features: undefined }
  const task: Task = name === 'classify' ? { kind: name, count: top } : { kind: name }
  const pictures = { labels: labels ?? (await ownClasses(model)), prepare: preparation, features }
  return { settings: { task, pictures, digest: createHash('sha256').update(file).digest('hex') }, file }
}

/** What the last layer with weights reads; where `cairn train` would put a new head. */
async function embedding(model: ModelFile): Promise<{ file: Uint8Array; features: string }> {
  if (model.kind === 'cairn')
    throw new InputError(
      `${model.path}: features are cut out of a network; the .onnx that it was compiled from is allowed`
    )
  const { findCut, openGraph } = await import('../../../train/network/network.js')
  const external = externalDataOf(model.path)
  const { features } = findCut(openGraph(model.bytes, { externalData: external }), {})
  const bytes = exposeValues(model.bytes, [features], external)
  const { program, summary } = await buildModel({ ...model, bytes })
  return { file: encode(program, summary), features }
}
