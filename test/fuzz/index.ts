// `npm run fuzz`: spoilt files by the thousand, each of which must be refused in one line or still be right.
import sade from 'sade'
import { Progress } from '../../cli/terminal/progress.js'
import { baseSeed } from '../support/random.js'
import { campaign, keep } from './campaign.js'
import type { Kind } from './seeds.js'

const kinds: readonly Kind[] = ['onnx', 'cairn', 'patch']

interface Flags {
  readonly files: number
  readonly seed: number
  readonly first: number
  readonly kind: string
  readonly minutes: number
  readonly why?: boolean
}

async function fuzz({ files, seed, first, kind, minutes, why }: Flags): Promise<void> {
  const wanted = kinds.filter(each => kind === 'all' || each === kind)
  if (!wanted.length) throw new Error(`--kind ${kind}: all, ${kinds.join(', ')} are allowed`)
  let failed = 0
  console.log(`seed ${seed}`)
  for (const each of wanted) {
    // Patches are few bytes: they take a tenth.
    const share = each === 'patch' && wanted.length > 1 ? 0.1 : wanted.length > 1 ? 0.45 : 1
    const wantedFiles = Math.ceil(files * share)
    const progress = new Progress(wantedFiles)
    const told: Promise<void>[] = []
    const { tried, reasons } = await campaign({
      kind: each,
      seed,
      first,
      files: wantedFiles,
      minutes: minutes * share,
      onFile: done => progress.step(done, each),
      onFailure: failure => void told.push(keep(failure, seed).then(console.log))
    })
    progress.stop()
    await Promise.all(told)
    const total = Object.values(tried).reduce((a, b) => a + b, 0)
    const counts = Object.entries(tried).map(([what, times]) => `${what} ${times}`)
    console.log(`${each}: ${total} files; ${counts.join(', ')}`)
    if (why)
      for (const [reason, times] of [...reasons].sort((a, b) => b[1] - a[1])) console.log(`  ${times}× ${reason}`)
    failed += told.length
  }
  process.exitCode = failed ? 1 : 0
}

sade('fuzz', true)
  .option('--files', 'how many files', 1000)
  .option('--seed', 'of the random numbers', baseSeed)
  .option('--first', 'the number of the first file', 0)
  .option('--kind', 'all, onnx, cairn or patch', 'all')
  .option('--minutes', 'after which no more files are tried', 600)
  .option('--why', 'count why files were refused')
  .action(fuzz)
  .parse(process.argv)
