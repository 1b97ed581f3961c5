import type { Output } from '../protocol.js'
import { classMap } from './class-map.js'
import { classes } from './classes.js'
import { fastestdet } from './fastestdet.js'
import { image } from './image.js'
import { mask } from './mask.js'
import type { Fed, Finding, Recognise } from './output.js'
import { ssd } from './ssd.js'
import { yolo } from './yolo.js'

/** Detectors first, because their maps would pass for segmentations. */
const kinds: readonly Recognise[] = [ssd, yolo, fastestdet, image, mask, classMap, classes]

/** What the outputs mean, or nothing where no kind fits. */
export function interpret(outputs: readonly Output[], fed: Fed): Finding | undefined {
  for (const recognise of kinds) {
    const finding = recognise(outputs, fed)
    if (finding) return finding
  }
  return undefined
}
