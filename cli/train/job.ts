import type { SplitOptions } from '../../runtime/train/index.js'
import type { Flags } from '../terminal/index.js'
import type { PictureDataset, Pictures } from './dataset.js'
import type { LeftOut } from './left-out.js'

export interface Job {
  readonly path: string
  readonly flags: Flags
  readonly places: Places
  readonly pictures: Pictures
  readonly leftOut: LeftOut
  readonly dataset: PictureDataset
  readonly split: SplitOptions | { training: number[]; validation: number[] }
}

export interface Places {
  readonly out: string
  readonly checkpoint: string
}
