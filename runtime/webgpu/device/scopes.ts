import { CairnError } from '../../base/index.js'

/** Does `work`, all at once; throws CairnError for what the device refuses of it. `what` is it that was refused. */
export async function scoped<T>(device: GPUDevice, what: string, work: () => T): Promise<T> {
  device.pushErrorScope('validation')
  let popped: Promise<GPUError | null>
  let made: T
  try {
    made = work()
  } finally {
    popped = device.popErrorScope()
  }
  const failure = await popped
  if (failure) throw new CairnError(`WebGPU refused ${what}: ${firstLine(failure)}`)
  return made
}

/** Throws CairnError where the device has no memory for what `make` creates. */
export async function allocating<T>(device: GPUDevice, what: string, make: () => T): Promise<T> {
  device.pushErrorScope('out-of-memory')
  let popped: Promise<GPUError | null>
  let made: Promise<T>
  try {
    made = scoped(device, what, make)
  } finally {
    popped = device.popErrorScope()
  }
  const [result, failure] = await Promise.all([made, popped])
  if (failure) throw new CairnError(`the GPU has no memory for ${what}: ${firstLine(failure)}`)
  return result
}

const firstLine = ({ message }: GPUError) => message.split('\n')[0]
