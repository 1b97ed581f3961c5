import { CairnError } from '../backend.js'

/** What the package `webgpu` exports: Dawn, for Node. */
export interface Dawn {
  /** Its devices end when the object is collected. */
  create(options: string[]): GPU
  /** Constants and classes that browsers have as globals. */
  readonly globals: object
}

export async function loadDawn(): Promise<Dawn> {
  // A name that bundlers do not look into: the package is the caller's choice.
  const name = 'webgpu'
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND'
    throw new CairnError(
      `WebGPU in Node takes the package webgpu, which ${missing ? 'is not installed' : `does not load (${message})`}: npm i webgpu`
    )
  }
}
