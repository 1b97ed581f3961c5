import { blocks, blocksOf } from './blocks.js'
import { shaders } from './kernels.js'
import { sources as more } from './more-sources.js'
import { recurrent } from './recurrent/recurrent.js'
import { det } from './reduce/det.js'
import { sources } from './sources.js'

/** Kernels that few models need, which are loaded for those that do: from then on all that is here knows them. */
Object.assign(sources, more)
Object.assign(blocks, blocksOf(more))
Object.assign(shaders, { det, recurrent })
