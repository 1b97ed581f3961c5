import type { InferenceSession, SessionHandler, Tensor } from 'onnxruntime-common'
import type { DeclaredPort } from '../../compiler/onnx/index.js'
import { CairnError } from '../../runtime/base/index.js'
import type { Feeds, Tensor as Own } from '../../runtime/index.js'
import type { OnnxRuntime } from '../types.js'

const refused: Readonly<Record<string, string>> = {
  string: 'strings',
  int4: '4-bit integers',
  uint4: '4-bit integers',
  texture: 'textures of WebGL',
  'ml-tensor': 'tensors of WebNN'
}

/** Feeds as a session here takes them: what onnxruntime's tensors hold, for inputs that the model has. */
export function feedsOf(feeds: SessionHandler.FeedsType, ports: readonly DeclaredPort[]): Feeds {
  const found: Record<string, Tensor> = {}
  for (const [name, tensor] of Object.entries(feeds) as [string, Tensor][]) {
    const port = ports.find(port => port.name === name)
    if (!port)
      throw new CairnError(`invalid input '${name}'; the model takes ${ports.map(({ name }) => name).join(', ')}`)
    const what = refused[tensor?.type] ?? refused[tensor?.location]
    if (what) throw new CairnError(`input "${name}" is of ${what}, which models here do not take`)
    found[name] = shaped(tensor, port)
  }
  return found as unknown as Feeds
}

/** As onnxruntime takes and refuses sizes: one element of any rank is a scalar, and clients read from the message what it expects. */
function shaped(tensor: Tensor, { name, shape }: DeclaredPort): Tensor {
  const dims = tensor?.dims ?? []
  if (shape?.length === 0 && dims.length && tensor.size === 1 && tensor.location === 'cpu') return tensor.reshape([])
  if (shape?.length === dims.length)
    for (const [axis, { size }] of shape.entries())
      if (size !== undefined && size !== dims[axis])
        throw new CairnError(
          `got invalid dimensions for input: ${name} for the following indices: index: ${axis} Got: ${dims[axis]} Expected: ${size}`
        )
  return tensor
}

/** A result as onnxruntime gives it: in the tensor that was allocated for it, on the GPU, or in a new one. */
export function resultOf(name: string, result: Own, given: Tensor | null, make: OnnxRuntime['Tensor']): Tensor {
  if (given) return fill(name, result, given)
  const { type, dims, location } = result
  if (location === 'cpu') return new make(type, result.data as never, [...dims])
  return make.fromGpuBuffer(result.gpuBuffer as never, {
    dataType: type as 'float32',
    dims: [...dims],
    download: () => result.getData() as Promise<Float32Array>,
    dispose: () => result.dispose()
  }) as Tensor
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength)

function fill(name: string, result: Own, given: Tensor): Tensor {
  const [has, wants] = [result, given].map(({ type, dims }) => `${type}[${dims.join('×')}]`)
  if (has !== wants) throw new CairnError(`output "${name}" is ${has}; the tensor that is allocated for it is ${wants}`)
  if (given.location !== 'cpu' && given.location !== 'cpu-pinned')
    throw new CairnError(`output "${name}": tensors on the CPU can be allocated beforehand, not on ${given.location}`)
  bytesOf(given.data as Float32Array).set(bytesOf(result.data))
  return given
}

/** As onnxruntime tells of an input or an output. */
export function metadataOf({ name, dtype, shape = [] }: DeclaredPort): InferenceSession.ValueMetadata {
  if (!dtype) return { name, isTensor: false }
  const sizes = shape.map(({ size, name }) => size ?? name ?? '')
  return { name, isTensor: true, type: dtype as Tensor.Type, shape: sizes }
}
