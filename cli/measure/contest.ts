import { type EngineName, type EngineOptions, engineNames, type Opened, type PeerName } from './engine.js'
import { type Fresh, type FreshRunner, freshRunner } from './fresh.js'
import { interleave, type Patience } from './interleave.js'
import { median, ratioOf, type Spread, spreadOf } from './statistics.js'
import { openChecked, openOn, type Subject } from './subject.js'

/** Cairn against peers on one model: outputs compared first, then all timed in turns, then started cold in turns. */
export interface Standing {
  readonly engine: EngineName
  /** Largest error of an output against Cairn's, over that output's maximum. */
  readonly error?: number
  readonly times?: Spread
  /** How many times as long as Cairn, round by round. */
  readonly ratio?: Spread
  readonly cold?: Fresh
  /** Why there are no figures. */
  readonly refusal?: string
}

export interface ContestOptions extends EngineOptions {
  readonly peers: readonly PeerName[]
  readonly patience: Patience
  /** Largest relative error that a peer's outputs may have against Cairn's. */
  readonly tolerance: number
  /** Fresh processes for each engine; 0 for none. */
  readonly starts: number
  /** Called now and then with what is done next, and between rounds of timing. */
  readonly onStep?: (doing: string) => void
}

export async function contest(subject: Subject, options: ContestOptions): Promise<Standing[]> {
  const { peers, patience, tolerance, onStep } = options
  const cairn = await openOn('cairn', subject, options)
  const outputs = await cairn.run()
  const refused: Standing[] = []
  const running: { engine: EngineName; opened: Opened; error?: number }[] = [{ engine: 'cairn', opened: cairn }]
  for (const peer of peers) {
    onStep?.(peer)
    const checked = await openChecked(peer, subject, options, outputs, tolerance)
    if (typeof checked === 'string') refused.push({ engine: peer, refusal: checked })
    else running.push({ engine: peer, ...checked })
  }
  onStep?.('timing')
  const times = await interleave(
    running.map(({ opened }) => opened),
    patience
  )
  for (const { opened } of running) await opened.release()
  onStep?.('cold starts')
  const starting = running.map(({ engine }) => engine)
  const cold = options.starts ? await coldStarts(starting, subject, options, options.starts) : []
  const standings = running.map(
    ({ engine, error }, i): Standing => ({
      engine,
      error,
      times: spreadOf(times[i]),
      ratio: i ? ratioOf(times[0], times[i]) : undefined,
      cold: cold[i]
    })
  )
  const rank = ({ engine }: Standing) => engineNames.indexOf(engine)
  return [...standings, ...refused].sort((a, b) => rank(a) - rank(b))
}

/** Medians over fresh processes, the engines in turns. */
async function coldStarts(
  engines: readonly EngineName[],
  subject: Subject,
  options: EngineOptions,
  repeats: number
): Promise<Fresh[]> {
  const runners: FreshRunner[] = []
  try {
    for (const engine of engines) runners.push(freshRunner(engine, subject, options))
    const results: Fresh[][] = engines.map(() => [])
    for (let round = 0; round < repeats; round++)
      for (let i = 0; i < runners.length; i++) {
        const turn = (i + round) % runners.length
        results[turn].push(await runners[turn].start())
      }
    return results.map(list => {
      const of = (key: keyof Fresh) => median(list.map(fresh => fresh[key]))
      return {
        import: of('import'),
        load: of('load'),
        firstRun: of('firstRun'),
        total: of('total'),
        peakBytes: of('peakBytes')
      }
    })
  } finally {
    for (const runner of runners) runner.release()
  }
}
