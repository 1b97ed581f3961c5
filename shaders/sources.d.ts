/** Made from the .wgsl files of this folder by scripts/build.mjs. */

/** The text of each file by its name without extension, without comments and indentation. */
export declare const sources: Readonly<Record<string, string>>
