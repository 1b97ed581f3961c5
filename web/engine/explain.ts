import type { InferenceSession } from 'cairnjs'
import type { Explainer, FeatureMaps, Method } from 'cairnjs/explain'
import { picturePort, prepare } from '../photo/prepare.js'
import { sheetOf } from './map-sheet.js'
import type { Asked, AskedMaps, Explained, LayerPicture, Progress } from './protocol.js'

/** What a model was compiled from, which methods with gradients read again. */
export interface Origin {
  readonly bytes: Uint8Array
  readonly externalData?: (location: string) => Uint8Array
}

export interface Question<T = Asked> {
  readonly asked: T
  readonly origin: Origin
  readonly session: InferenceSession
}

/** A part of the package that most visits never load. */
const loaded = () => import('cairnjs/explain')

/** What was compiled for the last question serves the next ones of its kind. */
let held: { readonly method: Method; readonly session: InferenceSession; readonly explainer: Explainer } | undefined
let layer: { readonly of: string; readonly session: InferenceSession; readonly maps: FeatureMaps } | undefined

export async function forgetExplainer(): Promise<void> {
  await held?.explainer.release()
  await layer?.maps.release()
  held = layer = undefined
}

/** What a layer makes of the picture, as a sheet of its maps. */
export async function layerPicture({ asked, origin, session }: Question<AskedMaps>): Promise<LayerPicture> {
  const port = picturePort(session.inputMetadata)
  if (!port) throw new Error('this model takes no picture')
  const { tensor } = prepare(asked.picture, port, asked.preparation)
  const began = performance.now()
  const of = `${asked.node} ${tensor.dims}`
  if (layer?.of !== of || layer.session !== session) {
    await layer?.maps.release()
    layer = undefined
    const { FeatureMaps } = await loaded()
    const { threads: numThreads, device } = session
    const options = { layers: [asked.node], activated: true, externalData: origin.externalData, numThreads, device }
    layer = { of, session, maps: await FeatureMaps.create(origin.bytes, tensor.dims, options) }
  }
  const { maps } = layer
  const [{ data }] = await maps.run(tensor)
  const [{ name, units, height, width }] = maps.layers
  const { sheet, shown } = sheetOf(data, units, height, width)
  return { name, units, height, width, sheet, shown, milliseconds: performance.now() - began }
}

/** Nothing where `isOver` says that something else is wanted. */
export async function explained(
  { asked, origin, session }: Question,
  isOver: () => boolean,
  progress: (progress: Progress) => void
): Promise<Explained | undefined> {
  const { picture, preparation, method } = asked
  const port = picturePort(session.inputMetadata)
  if (!port) throw new Error('this model takes no picture')
  const { tensor, region } = prepare(picture, port, preparation)
  const isFirst = held?.method !== method || held.session !== session
  const began = performance.now()
  const { Explainer, paint } = await loaded()
  if (isFirst) {
    await held?.explainer.release()
    held = undefined
    // A covered picture is run as any other, on the device that was chosen.
    const explainer =
      method === 'occlusion'
        ? await Explainer.create(session, { method })
        : await Explainer.create(origin.bytes, {
            ...{ method, externalData: origin.externalData, numThreads: session.threads, device: session.device }
          })
    held = { method, session, explainer }
  }
  const over = new AbortController()
  try {
    const found = await held!.explainer.explain(tensor, {
      class: asked.class,
      signal: over.signal,
      onRun(done, total) {
        if (isOver()) over.abort()
        if (total > 1) progress({ done: Math.min(done, total), total, what: `run ${done}` })
      }
    })
    const milliseconds = performance.now() - began
    const [height, width] = port.layout === 'NCHW' ? tensor.dims.slice(2) : tensor.dims.slice(1, 3)
    const { layer, map, completeness, scores } = found
    return {
      ...{
        class: found.class,
        scores,
        region,
        milliseconds,
        isFirst: isFirst && method !== 'occlusion',
        error: completeness?.error
      },
      painted: paint(map, width, height),
      layer: layer === undefined ? undefined : { name: layer, height: map.height, width: map.width }
    }
  } catch (error) {
    if (over.signal.aborted) return undefined
    throw error
  }
}
