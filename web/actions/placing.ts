import type { Engine } from '../engine/engine.js'
import type { Loaded } from '../engine/protocol.js'
import {
  chosenDevice,
  chosenThreadsOption,
  noteDevice,
  rememberThreads,
  revertDevice,
  threadsLine,
  threadsToTry
} from '../views/model/device.js'
import { doing } from '../views/status.js'
import { type Model, wantedFor } from './opening.js'

/** Where the model runs: the device, and the number of threads. */
export class Placing {
  private loaded: Loaded | undefined
  /** What it was asked with. */
  private asked = { device: 'auto', threads: '1' }

  constructor(
    private readonly engine: Engine,
    private readonly model: () => Model | undefined
  ) {}

  get threads(): number {
    return this.loaded?.threads ?? 1
  }

  is(loaded: Loaded): void {
    this.loaded = loaded
    this.asked = { device: chosenDevice(), threads: chosenThreadsOption() }
    this.note()
  }

  /** Goes to the chosen device; a model that it cannot have stays where it is. False where nothing has changed. */
  async change(): Promise<boolean> {
    const now = this.model()
    if (!now) return false
    const next = await doing('Loading', () => this.engine.ask('load', wantedFor(now.opened)))
    if (this.model() !== now) return false
    if (next) this.is(next)
    else revertDevice(this.asked.device, this.asked.threads)
    return next !== undefined
  }

  /** Looks for the fastest number of threads while there is nothing else to do, and goes over to it. */
  async probe(): Promise<void> {
    const now = this.model()
    const threads = now ? threadsToTry(now.opened) : []
    if (!now || this.loaded?.device !== 'wasm' || threads.length < 2) return
    const probed = await this.engine.ask('probe', { threads })
    if (!probed) return
    rememberThreads(now.opened, probed)
    if (this.model() !== now || !this.loaded) return
    this.loaded = { ...this.loaded, threads: probed.threads }
    this.note(threadsLine(probed))
  }

  private note(threads?: string): void {
    noteDevice(this.loaded?.choice && `Auto took ${this.loaded.choice}.`, threads)
  }
}
