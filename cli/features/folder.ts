import {
  type FeatureLayer,
  type FeatureMaps,
  type LayerFindings,
  LayerStatistics,
  patchOf
} from '../../explain/index.js'
import { type Picture, resize, type Tensor } from '../../runtime/tensor/index.js'
import { contactSheet } from '../pictures/index.js'
import { Progress } from '../terminal/index.js'
import { cut } from './sheets.js'

/** Pictures of a folder as a model's input. */
export interface Inputs {
  readonly names: readonly string[]
  input(index: number): Tensor
}

/** Pixels a side that patches are shown with. */
const patchSide = 72

/** Runs the layers on all pictures. */
export async function findingsOf(maps: FeatureMaps, inputs: Inputs, seed: number): Promise<LayerFindings[]> {
  const statistics = new LayerStatistics(maps.layers, { seed })
  const progress = new Progress(inputs.names.length)
  try {
    for (const [index, name] of inputs.names.entries()) {
      statistics.add(await maps.run(inputs.input(index)), index)
      progress.step(index + 1, name)
    }
  } finally {
    progress.stop()
  }
  return statistics.findings()
}

/** The units that were excited most, of a layer that has said something. */
export function loudest({ strongest, dead }: LayerFindings, count: number): number[] {
  const alive = strongest.flatMap((_, unit) => (dead.includes(unit) ? [] : [unit]))
  return alive.sort((a, b) => strongest[b][0].value - strongest[a][0].value).slice(0, count)
}

/** A row a unit: the patches that excite it most, the strongest first. `seen` gives a picture as the model sees it. */
export function patchSheet(
  { layer, strongest }: LayerFindings,
  units: readonly number[],
  seen: (index: number) => Picture
): Picture {
  const most = Math.max(...units.map(unit => strongest[unit].length))
  const blank = { data: new Uint8Array(patchSide * patchSide * 3).fill(255), width: patchSide, height: patchSide }
  const tiles = units.flatMap(unit => {
    const found = strongest[unit].map(each => patch(seen(each.picture), layer, each))
    return [...found, ...new Array<Picture>(most - found.length).fill(blank)]
  })
  return contactSheet(tiles, most, 3)
}

function patch(picture: Picture, layer: FeatureLayer, place: { row: number; column: number }): Picture {
  const part = cut(picture, patchOf(layer, place, picture.height, picture.width))
  const scale = patchSide / Math.max(part.width, part.height)
  const side = (pixels: number) => Math.max(1, Math.round(pixels * scale))
  return resize(part, side(part.width), side(part.height))
}
