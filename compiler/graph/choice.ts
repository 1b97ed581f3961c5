/** A kernel that can run a layer, and what it costs there in multiply-accumulates of the direct kernel. */
export interface Choice {
  readonly kernel: string
  readonly cost: number
  /** Floats of memory that it holds beyond those of the weights. */
  readonly floats?: number
}

/**
 * The largest output tile of Winograd convolution: 2x2 is as exact as direct sums, 4x4 faster, with an error of about
 * 1e-5 of a layer's maximum; 0 is direct sums only.
 */
export type WinogradTile = 0 | 2 | 4
