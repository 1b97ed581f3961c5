import { recurrent } from '../recurrent/recurrent.js'
import { det } from '../reduce/det.js'
import { admit } from './admit.js'
import { sources } from './more-sources.js'

/** Kernels that few models need. */
admit(sources, { det, recurrent })
