import type onnxProto from '../../schema/onnx.js'
import { decodeModel } from './read.js'
import { dtypeNames } from './tensor-proto.js'

/** A size as a model declares it. */
export interface DeclaredSize {
  /** Undefined where the model leaves it open. */
  readonly size?: number
  /** What the model calls it, if anything. */
  readonly name?: string
  /** What it stands for, as `DATA_BATCH`, if the model says. */
  readonly denotation?: string
}

/** An input or an output as a model declares it, before anything is computed of it. */
export interface DeclaredPort {
  /** Its name. */
  readonly name: string
  /** Element type; undefined for what is no tensor, or has a type that tensors here do not have. */
  readonly dtype?: string
  /** Its axes; undefined where the model has no shape for it. */
  readonly shape?: readonly DeclaredSize[]
}

/** What a model declares. */
export interface Declared {
  /** Without those that have a constant of their name. */
  readonly inputs: readonly DeclaredPort[]
  /** In the model's order. */
  readonly outputs: readonly DeclaredPort[]
}

/** Inputs and outputs of ONNX bytes, as they are declared. */
export function declaredPorts(bytes: Uint8Array): Declared {
  const { graph } = decodeModel(bytes)
  const constants = new Set(graph!.initializer?.map(({ name }) => name))
  return {
    inputs: (graph!.input ?? []).filter(({ name }) => !constants.has(name)).map(portOf),
    outputs: (graph!.output ?? []).map(portOf)
  }
}

function portOf({ name, type }: onnxProto.onnx.IValueInfoProto): DeclaredPort {
  const tensor = type?.tensorType
  const shape = (tensor?.shape?.dim ?? []).map(({ dimValue, dimParam, denotation }) => ({
    ...(!dimParam && Number(dimValue ?? 0) > 0 ? { size: Number(dimValue) } : {}),
    ...(dimParam ? { name: dimParam } : {}),
    ...(denotation ? { denotation } : {})
  }))
  return { name: name!, dtype: dtypeNames[tensor?.elemType ?? 0], shape: tensor?.shape ? shape : undefined }
}
