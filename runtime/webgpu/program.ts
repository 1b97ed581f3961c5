import type { Shader } from '../../shaders/dispatch.js'
import { shaders } from '../../shaders/kernels.js'
import { blocks } from '../../shaders/sources.js'
import { CairnError } from '../backend.js'
import type { Dim } from '../dims.js'
import type { Header } from '../format.js'
import type { Argument, Call } from '../program.js'

/** A call as the GPU makes it. */
export interface GpuCall {
  readonly call: Call
  readonly shader: Shader
  /** Field names of the block, the addresses of the buffers included. */
  readonly fields: readonly string[]
  /** Letters of the kernel's own fields. */
  readonly letters: string
}

/**
 * The program as the GPU runs it: with a shader for every call. What the CPU path transforms for Winograd's products is
 * the plain convolution here. Throws CairnError for a kernel that has no shader.
 */
export function programOf(header: Header): { header: Header; calls: GpuCall[] } {
  const calls = header.calls.map(call => {
    const { name, fields: letters } = header.kernels[call.kernel]
    const plain = name.startsWith('winograd') ? directly(header, call) : { call, letters }
    const shader = shaders[name.startsWith('winograd') ? 'conv' : name]
    if (!shader)
      throw new CairnError(`WebGPU has no shader for kernel "${name}" of "${call.node}"; the device wasm runs it`)
    const fields = blocks[shader.block]
    if (fields.length !== plain.letters.length + call.arguments.length)
      throw new CairnError(
        `kernel "${name}" of "${call.node}" has other parameters; the file was compiled for another version`
      )
    return { ...plain, shader, fields }
  })
  return { header: { ...header, calls: calls.map(({ call }) => call), setup: [], derived: [] }, calls }
}

/** A Winograd convolution with the filters that its setup call transforms. */
function directly({ kernels, setup }: Header, call: Call): { call: Call; letters: string } {
  const { name, fields } = kernels[call.kernel]
  const given = Object.fromEntries(
    blocks.Winograd.slice(0, fields.length).map((field, i) => [field, call.parameters[i]])
  )
  const taps = name.endsWith('x5') ? 5 : 3
  const ones = ['inD', 'outD', 'kernelD', 'strideD', 'strideH', 'strideW', 'dilationD', 'dilationH', 'dilationW']
  const own: Readonly<Record<string, Dim>> = {
    ...Object.fromEntries(ones.map(field => [field, 1])),
    ...given,
    kernelH: taps,
    kernelW: taps
  }
  const fieldsOfConv = blocks.Conv.slice(0, blocks.Conv.length - call.arguments.length)
  const isFilters = (argument: Argument) =>
    setup.find(({ arguments: [, made] }) => argument.space === 'derived' && made.index === argument.index)?.arguments[0]
  return {
    call: {
      ...call,
      parameters: fieldsOfConv.map(field => own[field] ?? 0),
      arguments: call.arguments.map(argument => isFilters(argument) ?? argument)
    },
    letters: fieldsOfConv.map(field => (field === 'alpha' || field === 'beta' ? 'f' : 'u')).join('')
  }
}

/** The argument that may be weights in half precision. */
export function operandOf({ call, shader, fields, letters }: GpuCall): Argument | undefined {
  return call.arguments.find((_, i) => fields[letters.length + i] === `${shader.halves}At`)
}
