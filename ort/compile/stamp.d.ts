/** Made by scripts/build.mjs: the version, and a digest of what compiles, so that no other build's files are taken for its own. */
export declare const stamp: string
