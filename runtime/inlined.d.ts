/** Made by scripts/build.mjs: the binary that can run every model on one thread of any engine, as a data: URL. */
export declare const inlined: string
