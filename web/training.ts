import type { EpochRecord } from 'cairnjs/train'
import { byId, download } from './dom.js'
import { Engine } from './engine/engine.js'
import type { Learnt, Opened, Progress } from './engine/protocol.js'
import type { Head } from './kept/kept.js'
import type { Source } from './model/source.js'
import { toggleLive } from './photo/input.js'
import { type Photo, pixelsOf } from './photo/photo.js'
import type { PicturePort, Preparation } from './photo/prepare.js'
import { announce, doing, showFailure } from './views/status.js'
import {
  classNames,
  lessonsOf,
  lessonsRefusal,
  lockLessons,
  showCurves,
  showLearnt,
  showProgress,
  showReadiness,
  showTried,
  startTrainingView
} from './views/train/train.js'
import { chosenOptions, showOptions } from './views/train/train-options.js'

/** A model of the page, as training needs it. */
export interface Pupil {
  readonly opened: Opened
  readonly untrained: boolean
  readonly port: PicturePort | undefined
  readonly preparation: Preparation
  readonly source: Pick<Source, 'key' | 'parts' | 'read'>
}

/** A model with a new head, for the page to open; its classes' names are in it. */
export interface Trained {
  readonly name: string
  readonly content: Uint8Array<ArrayBuffer>
  readonly preparation: Preparation
  readonly classes: readonly string[]
}

/** What training asks of the page. */
export interface Host {
  pupil(): Pupil | undefined
  photo(): Photo | undefined
  threads(): number
  use(trained: Trained): Promise<void>
  /** What is kept of the pupil, and what shall be. */
  head(pupil: Pupil): Head | undefined
  keepHead(pupil: Pupil, head: Head): void
  classesChanged(): void
}

/** Trains the page's model in an engine of its own, so that the page goes on meanwhile. */
export class Training {
  private engine: Engine | undefined
  private studied = false
  private running = false
  private inFront = false
  private epochs: EpochRecord[] = []
  /** What came of the last training, where nothing else is there to tell it. */
  private note = ''
  private result: { readonly learnt: Learnt; readonly classes: readonly string[]; readonly pupil: Pupil } | undefined

  constructor(private readonly host: Host) {
    startTrainingView({
      changed: () => {
        this.show()
        host.classesChanged()
      },
      start: () => void this.start(),
      stop: () => void this.engine?.ask('stopTraining', undefined)
    })
    byId('try-photo').onclick = () => byId('choose-photo').click()
    byId('try-camera').onclick = () => void toggleLive().catch(showFailure)
    byId('use-trained').onclick = () => void this.use()
    byId('save-trained').onclick = () => void this.save('patched', 'onnx')
    byId('save-patch').onclick = () => void this.save('patch', 'patch')
    document.addEventListener('themed', () => this.draw())
  }

  /** Whether a training would be lost. */
  get isRunning(): boolean {
    return this.running
  }

  /** Another model: what it has learnt before is there again, and the classes and their photos stay. */
  begin(): void {
    this.engine?.end()
    this.engine = undefined
    this.studied = this.running = false
    this.forget()
    this.remember()
    if (this.inFront) void this.study()
    this.show()
  }

  /** The tab comes to the front, or goes. */
  turn(inFront: boolean): void {
    this.inFront = inFront
    if (!inFront) return
    void this.study()
    void this.try()
  }

  private trying = false

  /** What the new head says of the photo that the page shows. */
  async try(): Promise<void> {
    const [engine, photo, result] = [this.engine, this.host.photo(), this.result]
    if (!this.inFront || this.trying || !engine || !result) return
    if (!photo) return showTried(undefined, [], [])
    this.trying = true
    try {
      const shares = await engine.ask('classify', { picture: pixelsOf(photo) })
      if (result === this.result) showTried(photo, shares, result.classes)
    } catch (error) {
      if (result === this.result) showFailure(error)
    } finally {
      this.trying = false
    }
    // Another photo has come meanwhile.
    if (photo !== this.host.photo()) await this.try()
  }

  /** Looks at the model once the tab is wanted: how many blocks it has, and whether it can be trained at all. */
  private async study(): Promise<void> {
    const pupil = this.host.pupil()
    if (this.engine || !pupil?.port || refusal(pupil)) return this.show()
    const { port, preparation } = pupil
    const { parts } = pupil.source
    const engine = new Engine()
    this.engine = engine
    const head = this.result && this.host.head(pupil)
    const studied = await doing('Looking at the model', async progress => {
      const studied = await engine.ask('study', { from: await pupil.source.read(progress), parts, port, preparation })
      if (head) {
        const patch = new Uint8Array(await head.patch.arrayBuffer())
        const { preparation } = head
        await engine.ask('recall', { patch, port, preparation, threads: this.host.threads() })
      }
      return studied
    })
    if (engine !== this.engine) return
    this.studied = studied !== undefined
    if (studied) showOptions(studied)
    else if (head) this.forget()
    this.show()
    void this.try()
  }

  /** What the model has learnt in an earlier visit; the engine takes it in when it is wanted. */
  remember(): void {
    const pupil = this.host.pupil()
    const head = pupil?.port && this.host.head(pupil)
    if (!head) return
    const { learnt, classes, preparation, photos } = head
    this.epochs = [...head.epochs]
    this.result = { learnt, classes, pupil: { ...pupil, preparation } }
    // Mistakes are shown by their photos, which may be others by now.
    showLearnt(photos === photosOf() ? learnt : { ...learnt, mistakes: [] }, classes)
    showCurves(this.epochs, this.epochs.length)
  }

  private async start(): Promise<void> {
    const [engine, pupil] = [this.engine, this.host.pupil()]
    if (!engine || !pupil?.port || this.running || lessonsRefusal()) return
    this.forget()
    this.running = true
    lockLessons(true)
    showFailure(undefined)
    showCurves([], 0)
    this.show()
    announce('Training has begun')
    const [classes, options] = [classNames(), chosenOptions()]
    const { port, preparation } = pupil
    try {
      const lesson = { classes, photos: lessonsOf(), ...options, port, preparation, threads: this.host.threads() }
      const learnt = await engine.ask('train', lesson, progress => this.follow(progress, options.epochs))
      if (engine !== this.engine) return
      if (learnt) {
        this.result = { learnt, classes, pupil: { ...pupil } }
        await this.keep(engine, this.result)
      } else this.note = 'Stopped before anything was learnt.'
    } catch (error) {
      if (engine === this.engine) showFailure(error)
    } finally {
      if (engine === this.engine) {
        this.running = false
        if (this.note) announce(this.note)
        showProgress(undefined)
        lockLessons(false)
        this.show()
      }
    }
    if (this.result) {
      showLearnt(this.result.learnt, classes)
      await this.try()
    }
  }

  private async keep(engine: Engine, { learnt, classes, pupil }: NonNullable<Training['result']>): Promise<void> {
    const patch = new Blob([await engine.ask('patch', undefined)])
    const { preparation } = pupil
    const { epochs } = this
    this.host.keepHead(pupil, { patch, learnt, classes, preparation, epochs, photos: photosOf() })
  }

  private follow(progress: Progress, planned: number): void {
    showProgress(progress)
    if (!progress.epoch) return
    this.epochs.push(progress.epoch)
    showCurves(this.epochs, planned)
  }

  private draw(): void {
    if (this.epochs.length) showCurves(this.epochs, chosenOptions().epochs)
  }

  private forget(): void {
    this.note = ''
    this.result = undefined
    this.epochs = []
    showProgress(undefined)
    showLearnt(undefined, [])
    showTried(undefined, [], [])
    showCurves(undefined, 0)
    lockLessons(false)
  }

  private show(): void {
    const pupil = this.host.pupil()
    showReadiness({
      refusal: pupil && refusal(pupil),
      untrained: pupil?.untrained ?? false,
      running: this.running,
      studied: this.studied,
      note: this.note
    })
  }

  private async use(): Promise<void> {
    const { result, engine } = this
    if (!result || !engine) return
    const { pupil, classes } = result
    const content = await doing('Putting in the new head', () => engine.ask('patched', undefined))
    const { preparation } = pupil
    if (content) await this.host.use({ name: nameOf(pupil), content, preparation, classes })
  }

  private async save(what: 'patch' | 'patched', ending: string): Promise<void> {
    const { result, engine } = this
    if (!result || !engine) return
    const content = await doing('Saving', () => engine.ask(what, undefined))
    if (content) download(`${nameOf(result.pupil)}.${ending}`, new Blob([content]))
  }
}

const photosOf = () => JSON.stringify(lessonsOf().map(({ name, label }) => [name, label]))

const nameOf = ({ opened }: Pupil) => `${opened.name.replace(/-trained$/, '')}-trained`

/** Why a model cannot be trained here, as far as the page can tell. */
function refusal({ opened, port }: Pupil): string | undefined {
  if (!opened.passes)
    return 'A .cairn file is compiled: its layers are fused and packed, and cannot be trained any more. Open the .onnx file that it was made from.'
  if (!port) return 'This model takes no picture; classes are learnt from photos.'
  return undefined
}
