import { byId, download, el, facts, table } from '../dom.js'
import { difference } from '../engine/compare.js'
import { Engine } from '../engine/engine.js'
import type { Job, Progress, Quantised, Quantising, Ran } from '../engine/protocol.js'
import { bytes, median, ms, percent, plural, short } from '../numbers.js'
import { announce } from './status.js'

/** What is quantised: the model that is open, photos to calibrate with, and the run that both models make. */
export interface Candidate extends Quantising {
  /** Bytes of the compiled float model. */
  readonly floats: number
  readonly job: Job
  readonly threads: number
}

/** The open model in 8 bits beside itself, in an engine of its own that can be stopped. */
export class Quantisation {
  private engine: Engine | undefined

  /** `use` opens what was made in the place of the model. */
  async run(
    { floats, job, threads, ...quantising }: Candidate,
    use: (name: string, content: Blob) => void,
    onProgress: (progress: Progress) => void
  ): Promise<void> {
    const engine = new Engine()
    this.engine = engine
    byId('quantise-stop').hidden = false
    byId('quantised').replaceChildren()
    try {
      const { name, from, parts } = quantising
      const { id } = await engine.ask('open', { name, from, parts, weights: 'f32' })
      const runOf = async (id: number): Promise<Ran> => {
        await engine.ask('load', { id, device: 'wasm', threads })
        const ran = await engine.ask('run', job)
        return { ...ran, milliseconds: median(await engine.ask('time', { runs: 9 })) }
      }
      const own = await runOf(id)
      const made = await engine.ask('quantise', quantising, onProgress)
      const other = await runOf(made.id)
      const content = new Blob([await engine.ask('file', undefined)])
      show({ name, floats, own, made, other }, content, use)
    } finally {
      engine.end()
      byId('quantise-stop').hidden = true
    }
  }

  stop(): void {
    this.engine?.end()
  }
}

interface Compared {
  readonly name: string
  readonly floats: number
  readonly own: Ran
  readonly made: Quantised
  readonly other: Ran
}

function show(compared: Compared, content: Blob, use: (name: string, content: Blob) => void): void {
  const { name, floats, own, made, other } = compared
  const verdict = `${bytes(made.bytes)} for ${bytes(floats)}, ${ms(other.milliseconds)} for ${ms(own.milliseconds)} a run; outputs are off by ${percent(made.error)} of their size on the photos.`
  const differences = own.outputs.map((output, i) => difference(output, other.outputs[i]))
  const rows = differences.map(({ name, absolute, relative }) => [name, short(absolute), short(relative)])
  byId('quantised').replaceChildren(
    el('p', { className: 'verdict' }, verdict),
    ...made.notes.map(note => el('p', { className: 'muted' }, note)),
    facts([
      ['layers on bytes', `${made.narrow} of ${plural(made.layers, 'layer')} with weights`],
      ['quantised in', ms(made.milliseconds)]
    ]),
    el(
      'div',
      { className: 'scroll' },
      table('On the photo that is open', ['output', 'largest error', 'relative'], rows, 1)
    ),
    el(
      'div',
      { className: 'row' },
      el(
        'button',
        { type: 'button', className: 'main', id: 'quantised-use', onclick: () => use(`${name} int8`, content) },
        'Open it'
      ),
      el(
        'button',
        { type: 'button', id: 'quantised-save', onclick: () => download(`${name}.int8.cairn`, content) },
        'Save .cairn'
      )
    )
  )
  announce(verdict)
}
