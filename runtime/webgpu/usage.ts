/** WebGPU's flags as the specification numbers them; Dawn for Node does not make them global. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200
} as const

export const mapRead = 1
export const computeStage = 4
