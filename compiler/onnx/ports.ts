import type onnxProto from '../../schema/onnx.js'
import { decodeModel } from './read.js'
import { fixedInputs, type Settings, settingsOf, showSettings } from './settings.js'
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
  /** Names of inputs that decide shapes, axes or conditions. */
  readonly settings: readonly string[]
}

/** Inputs and outputs of ONNX bytes, as they are declared. */
export function declaredPorts(bytes: Uint8Array): Declared {
  const { graph } = decodeModel(bytes)
  const constants = new Set(graph!.initializer?.map(({ name }) => name))
  return {
    inputs: (graph!.input ?? []).filter(({ name }) => !constants.has(name)).map(portOf),
    outputs: (graph!.output ?? []).map(portOf),
    settings: settingsOf(graph!).map(({ name }) => name!)
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

/** The constants that settings make of inputs, by their names. Throws CompileError for what the model does not take. */
export const constantInputs = (bytes: Uint8Array, settings: Settings = {}) =>
  fixedInputs(decodeModel(bytes).graph!, settings)

/** How to compile a model that has settings without a value; undefined for others, and for what is no model. */
export function unsetSettings(bytes: Uint8Array, given: Settings = {}): string | undefined {
  try {
    const open = settingsOf(decodeModel(bytes).graph!).filter(({ name }) => !Object.hasOwn(given, name!))
    if (!open.length) return undefined
    const flags = open.map(({ name }) => `--set ${name}=VALUE`).join(' ')
    return `shapes depend on ${showSettings(open)}: compile with ${flags}`
  } catch {
    return undefined
  }
}
