import { convGradient, depthwiseGradient } from '../conv/conv-gradient.js'
import { slope } from '../elementwise/derivative.js'
import { dropout } from '../elementwise/dropout.js'
import { adam, sgd } from '../elementwise/optimise.js'
import { poolGradient } from '../pool/pool-gradient.js'
import { admit } from './admit.js'
import { sources } from './training-sources.js'

/** What only training steps call. */
admit(sources, { adam, convGradient, depthwiseGradient, dropout, poolGradient, sgd, slope })
