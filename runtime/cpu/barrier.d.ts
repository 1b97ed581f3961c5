/** Made by scripts/build.mjs of asm/barrier.ts: the module with which threads meet, in base64. */
export declare const barrier: string
