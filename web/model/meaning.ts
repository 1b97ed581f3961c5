import type { Opened, Ran } from '../engine/protocol.js'
import { interpret } from '../outputs/index.js'
import type { Fed, Finding } from '../outputs/output.js'
import type { PicturePort, Preparation } from '../photo/prepare.js'
import type { Used } from './code.js'

/** An open model, as far as it helps to understand its outputs. */
export interface Known {
  readonly source: { readonly name: string }
  readonly opened: Opened
  readonly untrained: boolean
  readonly port: PicturePort | undefined
  readonly preparation: Preparation
  readonly labels: readonly (readonly string[])[]
  /** Outputs that the user calls scores of classes. */
  readonly insisted: Set<string>
}

/** What a run's outputs mean, with the labels that the user has given. */
export function meaningOf(ran: Ran, model: Known, own: readonly string[] | undefined): Finding[] {
  const { port, untrained, labels, opened } = model
  const { height, width } = ran.shown ?? { height: 1, width: 1 }
  const fed: Fed = {
    ...{ height, width, channels: model.preparation.channels, planes: port?.channels ?? 0 },
    batch: port?.batch ?? (Number(opened.model.inputs[0]?.shape[0]) || 1),
    knowledge: {
      name: `${model.source.name} ${opened.model.name}`.toLowerCase(),
      ...{ own, inFile: opened.classes, lists: labels },
      classifiers: untrained ? 'all' : model.insisted
    }
  }
  const findings = interpret(ran.outputs, fed)
  // What means nothing has no name either.
  return untrained ? findings.map(finding => ({ ...finding, labels: undefined, caveat: undefined })) : findings
}

/** What a program of the reader's own needs to do the same. */
export function usedOf(model: Known, ran: Ran, [main]: readonly Finding[]): Used | undefined {
  const { opened, port, preparation } = model
  const output = ran.outputs.find(({ name }) => name === main?.of[0]) ?? ran.outputs[0]
  if (!output) return undefined
  const { given, labels } = main?.kind === 'classes' ? main : {}
  return {
    ...{ file: `${opened.name}.cairn`, inputs: opened.model.inputs, port, preparation },
    size: ran.shown ?? { height: 1, width: 1 },
    result: { name: output.name, type: output.type, given, labels }
  }
}
