import { convGradient, depthwiseGradient } from '../conv/conv-gradient.js'
import { slope } from '../elementwise/training/derivative.js'
import { dropout } from '../elementwise/training/dropout.js'
import { adam, sgd } from '../elementwise/training/optimise.js'
import { poolGradient } from '../pool/pool-gradient.js'
import { admit } from './admit.js'
import { sources } from './training-sources.js'

/** What only training steps call. */
admit(sources, { adam, convGradient, depthwiseGradient, dropout, poolGradient, sgd, slope })
