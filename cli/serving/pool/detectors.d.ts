/** Made by scripts/build.mjs of the page's recognisers in web/outputs/detectors: what tells boxes from outputs. */
export interface Output {
  readonly name: string
  readonly type: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export interface Fed {
  readonly height: number
  readonly width: number
  readonly channels: 'RGB' | 'BGR'
  readonly planes: 1 | 3
  readonly batch: number
  readonly knowledge: {
    readonly name: string
    readonly own?: readonly string[]
    readonly lists: readonly (readonly string[])[]
    readonly classifiers: ReadonlySet<string>
  }
}

/** Corners as shares of the model's input. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly score: number
  readonly index: number
}

/** The boxes, surest first, and what their classes are called; undefined where no output holds any. */
export declare function detect(
  outputs: readonly Output[],
  fed: Fed
): { readonly boxes: readonly Box[]; readonly labels?: readonly string[] } | undefined
