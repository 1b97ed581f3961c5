import type { WithConstants } from '../../compiler/lower/index.js'
import { type Bindings, evaluate, type Header } from '../../runtime/file/index.js'
import { describeBindings, memoryOf } from '../model/index.js'
import { type Flags, InputError, type Option } from '../terminal/index.js'
import { gpuNeeds } from './gpu-needs.js'

/** What a model may take, for builds that shall fail where it takes more. */
export const gateOptions: readonly Option[] = [
  { flag: '--max-bytes', value: 'N', help: 'fail if the compiled file has more bytes' },
  { flag: '--max-memory', value: 'N', help: 'fail if weights and arena need more bytes' },
  { flag: '--max-macs', value: 'N', help: 'fail if a run multiplies and adds more often, as 300M or 4.1G' },
  { flag: '--max-kernels', value: 'N', help: 'fail if it runs on more different kernels' },
  { flag: '--max-pipelines', value: 'N', help: 'fail if WebGPU has to make more pipelines for it' },
  { flag: '--allow-ops', value: 'LIST', help: 'fail if the model has ONNX operators beside these, as Conv,Relu,Gemm' }
]

export interface Gates {
  readonly bytes: number | undefined
  readonly memory: number | undefined
  readonly macs: number | undefined
  readonly kernels: number | undefined
  readonly pipelines: number | undefined
  readonly operators: readonly string[] | undefined
}

export function gatesOf(flags: Flags): Gates {
  return {
    bytes: flags.bytes('max-bytes'),
    memory: flags.bytes('max-memory'),
    macs: flags.bytes('max-macs'),
    kernels: flags.whole('max-kernels', 0),
    pipelines: flags.whole('max-pipelines', 0),
    operators: flags
      .text('allow-ops')
      ?.split(',')
      .map(name => name.trim())
      .filter(Boolean)
  }
}

export interface Gated {
  readonly path: string
  readonly program: WithConstants
  readonly bindings: Bindings
  /** ONNX operators of the model, each once. */
  readonly operators: readonly string[]
  /** Bytes of the compiled file, and its header. */
  bytes(): number
  header(): Header
}

/** Throws InputError for the first gate that the model does not pass. */
export function checkGates(gates: Gates, { path, program, bindings, operators, bytes, header }: Gated): void {
  const at = describeBindings(bindings)
  const refuse = (what: string) => {
    throw new InputError(`${path}: ${what}`)
  }
  const strange = gates.operators && operators.filter(name => !gates.operators!.includes(name))
  if (strange?.length)
    refuse(`has the operators ${strange.join(', ')}; --allow-ops allows ${gates.operators!.join(', ')}`)
  if (gates.bytes !== undefined && bytes() > gates.bytes)
    refuse(`the file would have ${bytes()} bytes; --max-bytes allows ${gates.bytes}`)
  const { weights, arena } = memoryOf(program, bindings)
  if (gates.memory !== undefined && weights + arena > gates.memory)
    refuse(
      `needs ${weights + arena} bytes of memory at ${at} (weights ${weights}, arena ${arena}); --max-memory allows ${gates.memory}`
    )
  const macs = evaluate(program.macs, bindings)
  if (gates.macs !== undefined && macs > gates.macs)
    refuse(`a run takes ${macs} multiply-accumulates at ${at}; --max-macs allows ${gates.macs}`)
  const kernels = program.kernels.map(({ name }) => name)
  if (gates.kernels !== undefined && kernels.length > gates.kernels)
    refuse(`runs on ${kernels.length} kernels (${kernels.join(', ')}); --max-kernels allows ${gates.kernels}`)
  if (gates.pipelines === undefined) return
  const { all } = gpuNeeds(header(), bindings).pipelines
  if (all > gates.pipelines)
    refuse(`WebGPU makes ${all} pipelines for it at ${at}; --max-pipelines allows ${gates.pipelines}`)
}
