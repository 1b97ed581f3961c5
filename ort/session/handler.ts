import type { InferenceSessionHandler, InferenceSession as Ort, SessionHandler } from 'onnxruntime-common'
import type { Declared } from '../../compiler/onnx/index.js'
import { CairnError } from '../../runtime/base/index.js'
import type { Feeds, InferenceSession } from '../../runtime/index.js'
import type { OnnxRuntime } from '../types.js'
import type { LateModel } from './model.js'
import { Profile } from './profile.js'
import { feedsOf, metadataOf, resultOf } from './values.js'

/** What onnxruntime-common asks of a session, answered by one of ours. */
export class Handler implements InferenceSessionHandler {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly Ort.ValueMetadata[]
  readonly outputMetadata: readonly Ort.ValueMetadata[]
  private readonly profile: Profile | undefined

  constructor(
    private readonly model: InferenceSession | LateModel,
    private readonly ports: Declared,
    private readonly tensors: OnnxRuntime['Tensor'],
    profile: string | undefined
  ) {
    this.inputNames = ports.inputs.map(({ name }) => name)
    this.outputNames = ports.outputs.map(({ name }) => name)
    this.inputMetadata = ports.inputs.map(metadataOf)
    this.outputMetadata = ports.outputs.map(metadataOf)
    this.profile = profile === undefined ? undefined : new Profile(profile)
  }

  async run(
    feeds: SessionHandler.FeedsType,
    fetches: SessionHandler.FetchesType,
    options: Ort.RunOptions
  ): Promise<SessionHandler.ReturnType> {
    if (options?.terminate) throw new CairnError('the run was given up: its option terminate is set')
    const given = feedsOf(feeds, this.ports.inputs)
    const names = Object.keys(fetches)
    const { signal } = options as { signal?: AbortSignal }
    const work = async (session: InferenceSession, feeds: Feeds) => {
      const inputs = only(session.inputNames, feeds)
      const results = await session.run(inputs, names, { signal })
      if (this.profile?.isOn) this.profile.add(await session.profile(inputs))
      return results
    }
    const { model } = this
    const results = await ('use' in model ? model.use(given, work) : work(model, given))
    return Object.fromEntries(
      names.map(name => [name, resultOf(name, results[name], fetches[name], this.tensors)])
    ) as SessionHandler.ReturnType
  }

  /** As onnxruntime's, which measures from the start where the session's option `enableProfiling` is set. */
  startProfiling(): void {}

  endProfiling(): void {
    this.profile?.end()
  }

  async dispose(): Promise<void> {
    await this.model.release()
  }
}

/** Those of the feeds that the session still takes: others have become constants, or lead nowhere. */
const only = (names: readonly string[], feeds: Feeds): Feeds =>
  Object.keys(feeds).length === names.length ? feeds : Object.fromEntries(names.map(name => [name, feeds[name]]))
