/** Registers the GPU's device; builds that do not have it refuse to load it. */
declare module 'cairn/webgpu'
