import { byId } from '../dom.js'
import { draw, type Heat } from '../photo/draw.js'
import type { Photo } from '../photo/photo.js'
import type { Shown } from './findings.js'
import { sentence } from './result.js'

/** What there is to see beside the tabs. */
export interface Stage {
  readonly photo: Photo | undefined
  /** Whether the model takes a picture, or there is none yet that would not. */
  readonly takesPicture: boolean
  readonly shown: Shown | undefined
  readonly blend: number
  readonly heat: Heat | undefined
}

/** The photo with what was found on it, or the place for one. */
export function showStage({ photo, takesPicture, shown, blend, heat }: Stage): void {
  const canvas = byId<HTMLCanvasElement>('canvas')
  const isDrawn = photo !== undefined && takesPicture
  const isVideo = !byId('video').hidden
  canvas.hidden = !isDrawn || isVideo
  byId('no-photo').hidden = isDrawn || isVideo
  if (isDrawn)
    draw(canvas, {
      ...{ photo, blend, heat },
      findings: shown?.findings ?? [],
      region: shown?.ran.shown?.region,
      least: shown?.least ?? 0
    })
  canvas.setAttribute(
    'aria-label',
    shown && photo ? `${photo.name}: ${sentence(shown)}` : (photo?.name ?? 'No picture')
  )
}
