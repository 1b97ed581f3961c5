import { parentPort, workerData } from 'node:worker_threads'
import { encode } from '../../../runtime/file/index.js'
import { about, buildModel, fileOf, type ModelFile, modelOf, ownClasses, readModel } from '../../model/index.js'
import { InputError } from '../../terminal/index.js'
import type { Load, Loaded } from './load.js'

/** Reads one model, and compiles what is none of ours, away from the thread that answers. Started by load.ts. */
const { path, bytes, maxMemory } = workerData as Load

try {
  const model = bytes ? await about(path, () => modelOf(path, bytes)) : readModel(path)
  const labels = await ownClasses(model)
  const file = await (bytes ? ofStranger(model) : fileOf(model, undefined, maxMemory))
  parentPort!.postMessage({ file, labels } satisfies Loaded)
} catch (error) {
  const { name, message } = error as Error
  parentPort!.postMessage({ refusal: { name, message } } satisfies Loaded)
}

/** Files beside it are nobody's but ours. */
async function ofStranger(model: ModelFile): Promise<Uint8Array> {
  if (model.kind === 'cairn') return model.bytes
  const externalData = () => {
    throw new InputError(`${path}: weights in other files cannot be uploaded; one file is allowed`)
  }
  const { program, summary } = await buildModel(model, { maxMemory, externalData })
  return encode(program, summary)
}
