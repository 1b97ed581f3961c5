// Tensors, each member as it is tried.
import type { Tensor } from 'onnxruntime-common'
import { type Api, type Trial, trial } from './kit.js'

const types = ['float32', 'float64', 'int32', 'uint32', 'int16', 'uint16', 'int8', 'uint8', 'bool'] as const

const pixels = { data: Uint8ClampedArray.from({ length: 48 }, (_, i) => i * 5), width: 4, height: 3 }
const small = ({ Tensor }: Api) => new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])
const onGpu = { size: 64, mapState: 'unmapped' as const, usage: 0 }

const constructing: readonly Trial[] = [
  ...types.map(type => trial('Tensor', `${type} of numbers`, ({ Tensor }) => new Tensor(type, [0, 1, 1, 0], [2, 2]))),
  trial('Tensor', 'int64 of numbers', ({ Tensor }) => new Tensor('int64', [1, -2], [2])),
  trial('Tensor', 'uint64 of bigints', ({ Tensor }) => new Tensor('uint64', [1n, 2n], [2])),
  trial('Tensor', 'float16 of bits', ({ Tensor }) => new Tensor('float16', Uint16Array.of(0x3c00, 0), [2])),
  trial('Tensor', 'string', ({ Tensor }) => new Tensor('string', ['a', 'b'], [2])),
  trial('Tensor', 'int4 of bytes', ({ Tensor }) => new Tensor('int4', Uint8Array.of(1, 2) as never, [4])),
  trial('Tensor', 'uint4 of numbers', ({ Tensor }) => new Tensor('uint4', [1, 2], [2])),
  trial('Tensor', 'another type', ({ Tensor }) => new Tensor('complex64' as never, [1], [1])),
  trial('Tensor', 'of booleans alone', ({ Tensor }) => new Tensor([true, false])),
  trial('Tensor', 'of strings alone', ({ Tensor }) => new Tensor(['a', 'b'])),
  trial('Tensor', 'of an empty list', ({ Tensor }) => new Tensor([] as string[])),
  trial('Tensor', 'of a Uint16Array alone', ({ Tensor }) => new Tensor(Uint16Array.of(1, 2)).type),
  trial('Tensor', 'of a Uint8ClampedArray alone', ({ Tensor }) => new Tensor(Uint8ClampedArray.of(1, 2))),
  trial('Tensor', 'of a BigInt64Array alone', ({ Tensor }) => new Tensor(BigInt64Array.of(1n, 2n), [2, 1])),
  trial('Tensor', 'an array of another type', ({ Tensor }) => new Tensor('float32', Int32Array.of(1) as never)),
  trial('Tensor', 'dims of another size', ({ Tensor }) => new Tensor('float32', [1, 2, 3], [2, 2])),
  trial('Tensor', 'dims that are none', ({ Tensor }) => new Tensor('float32', [1], [-1])),
  trial('Tensor', 'dims that are no list', ({ Tensor }) => new Tensor('float32', [1], 1 as never)),
  trial('Tensor', 'a scalar', ({ Tensor }) => new Tensor('float32', [1], [])),
  trial('Tensor', 'no elements', ({ Tensor }) => new Tensor('float32', [], [0, 3]))
]

const reading: readonly Trial[] = [
  trial('Tensor#dims', 'read', api => small(api).dims),
  trial('Tensor#dims', 'written', api => {
    const tensor = small(api)
    ;(tensor.dims as number[])[0] = 1
    return [tensor.dims, tensor.size]
  }),
  trial('Tensor#type', 'read', api => small(api).type),
  trial('Tensor#size', 'read', api => small(api).size),
  trial('Tensor#location', 'read', api => small(api).location),
  trial('Tensor#data', 'read', api => small(api).data),
  trial('Tensor#data', 'is the array that was given', ({ Tensor }) => {
    const given = Float32Array.of(1)
    return new Tensor(given).data === given
  }),
  trial('Tensor#getData', 'awaited', api => small(api).getData()),
  trial('Tensor#getData', 'awaited, and released', api => small(api).getData(true)),
  trial('Tensor#dispose', 'then data', api => {
    const tensor = small(api)
    tensor.dispose()
    return tensor.data
  }),
  trial('Tensor#dispose', 'then location', api => {
    const tensor = small(api)
    tensor.dispose()
    return tensor.location
  }),
  trial('Tensor#reshape', 'the same size', api => small(api).reshape([3, 2])),
  trial('Tensor#reshape', 'another size', api => small(api).reshape([3, 3])),
  trial('Tensor#texture', 'on the CPU', api => small(api).texture),
  trial('Tensor#gpuBuffer', 'on the CPU', api => small(api).gpuBuffer),
  trial('Tensor#mlTensor', 'on the CPU', api => small(api).mlTensor),
  trial('Tensor#toDataURL', 'without a document', api => small(api).toDataURL()),
  trial('Tensor#toImageData', 'without a document', api => small(api).toImageData())
]

const elsewhere = (member: string, make: (api: Api) => Tensor): readonly Trial[] => [
  trial(member, 'location', api => make(api).location),
  trial(member, 'data', api => make(api).data),
  trial(member, 'getData', api => make(api).getData()),
  trial(member, 'dispose', api => {
    const tensor = make(api)
    tensor.dispose()
    return tensor.location
  })
]

const image = (tried: string, options?: object) =>
  trial('Tensor.fromImage', tried, api => api.Tensor.fromImage(pixels as never, options as never))

const making: readonly Trial[] = [
  image('of pixels, outside of a page'),
  image('of pixels, as NHWC', { tensorLayout: 'NHWC' }),
  trial('Tensor.fromImage', 'of nothing', api => api.Tensor.fromImage(undefined as never)),
  trial('Tensor.fromPinnedBuffer', 'read', ({ Tensor }) => Tensor.fromPinnedBuffer('int32', Int32Array.of(1, 2), [2])),
  ...elsewhere('Tensor.fromGpuBuffer', ({ Tensor }) =>
    Tensor.fromGpuBuffer(onGpu as never, { dims: [1], download: async () => Float32Array.of(7) })
  ),
  ...elsewhere('Tensor.fromTexture', ({ Tensor }) =>
    Tensor.fromTexture({} as never, { width: 2, height: 2, download: async () => new Float32Array(16) })
  ),
  ...elsewhere('Tensor.fromMLTensor', ({ Tensor }) =>
    Tensor.fromMLTensor({ destroy() {} } as never, { dims: [1], download: async () => Float32Array.of(7) })
  ),
  trial('Tensor.fromGpuBuffer', 'of a type that GPUs have not', ({ Tensor }) =>
    Tensor.fromGpuBuffer(onGpu as never, { dims: [1], dataType: 'float64' as never })
  )
]

export const tensorTrials: readonly Trial[] = [...constructing, ...reading, ...making]
