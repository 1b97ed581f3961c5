/** Made from the .wgsl files that shaders/later/more.ts brings, by scripts/build.mjs. */

/** As in sources.d.ts. */
export declare const sources: Readonly<Record<string, string>>
