// `npm run fuzz`: spoilt files by the thousand, each of which must be refused in one line or still be right.
import sade from 'sade'
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
  readonly reasons?: boolean
}

async function fuzz({ files, seed, first, kind, minutes, reasons }: Flags): Promise<void> {
  const wanted = kinds.filter(each => kind === 'all' || each === kind)
  if (!wanted.length) throw new Error(`--kind ${kind}: all, ${kinds.join(', ')} are allowed`)
  let failed = 0
  console.log(`seed ${seed}`)
  for (const each of wanted) {
    // Patches are few bytes: they take a tenth.
    const share = each === 'patch' && wanted.length > 1 ? 0.1 : wanted.length > 1 ? 0.45 : 1
    const result = await campaign({
      kind: each,
      seed,
      first,
      files: Math.ceil(files * share),
      minutes: minutes * share
    })
    const total = Object.values(result.tried).reduce((a, b) => a + b, 0)
    console.log(
      `${each}: ${total} files; ${Object.entries(result.tried)
        .map(([what, times]) => `${what} ${times}`)
        .join(', ')}`
    )
    if (reasons)
      for (const [reason, times] of [...result.reasons].sort((a, b) => b[1] - a[1]))
        console.log(`  ${times}× ${reason}`)
    for (const failure of result.failures) console.log(await keep(failure, seed))
    failed += result.failures.length
  }
  process.exitCode = failed ? 1 : 0
}

sade('fuzz', true)
  .option('--files', 'how many files', 1000)
  .option('--seed', 'of the random numbers', baseSeed)
  .option('--first', 'the number of the first file', 0)
  .option('--kind', 'all, onnx, cairn or patch', 'all')
  .option('--minutes', 'after which no more files are tried', 600)
  .option('--reasons', 'count why files were refused')
  .action(fuzz)
  .parse(process.argv)
