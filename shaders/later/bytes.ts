import { conv8, conv32, depthwise8 } from '../conv/conv8.js'
import { gemm8 } from '../dense/bytes/gemm8.js'
import { binary8 } from '../elementwise/binary8.js'
import { lookup } from '../elementwise/lookup.js'
import { dequantize, quantize } from '../elementwise/quantize.js'
import { pool8 } from '../pool/pool8.js'
import { admit } from './admit.js'
import { sources } from './bytes-sources.js'

/** Layers of bytes. */
admit(sources, { binary8, conv8, conv32, depthwise8, dequantize, gemm8, lookup, pool8, quantize })
