import { once } from 'node:events'
import { closeSync, createWriteStream, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { needPeers } from '../../terminal/index.js'
import type { Ended, Journal, PackedResult } from './journal.js'

/** From the journal to the results, which are there whole or not at all: lines of JSON, or an Arrow file. */
export async function writeResults(journal: Journal, path: string, failures: string): Promise<void> {
  const temporary = `${path}.part`
  if (/\.arrow$/i.test(path)) await writeArrow(journal, temporary)
  else await writeLines(temporary, lines(journal))
  rmSync(failures, { force: true })
  if (journal.failed) {
    await writeLines(`${failures}.part`, failed(journal))
    renameSync(`${failures}.part`, failures)
  }
  renameSync(temporary, path)
}

async function* lines(journal: Journal): AsyncGenerator<object> {
  for await (const record of done(journal)) {
    const { index, input, result } = record
    yield { index, input, ...plain(result) }
  }
}

type Done = Extract<Ended, { result: unknown }>

async function* done(journal: Journal): AsyncGenerator<Done> {
  for await (const record of journal.records()) if ('result' in record) yield record
}

async function* failed(journal: Journal): AsyncGenerator<object> {
  for await (const record of journal.records()) if ('error' in record) yield record
}

const floatsOf = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)

const plain = (result: PackedResult): object =>
  'features' in result ? { features: Array.from(floatsOf(result.features)) } : result

async function writeLines(path: string, values: AsyncIterable<object>): Promise<void> {
  const file = openSync(path, 'w')
  try {
    for await (const value of values) writeSync(file, `${JSON.stringify(value)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Rows of one piece of an Arrow file. */
const piece = 1024

/** Columns `index` and `input`, and by the task `class label score`, `features`, or `boxes` and `outputs` as JSON. */
async function writeArrow(journal: Journal, path: string): Promise<void> {
  await needPeers('an .arrow file', ['apache-arrow'])
  const arrow = await import('apache-arrow')
  const { Field, FixedSizeList, Float32, Int32, Utf8 } = arrow
  const columns = (rows: readonly Done[]) => {
    const { result } = rows[0]
    const best = (row: Done) => ('classes' in row.result ? row.result.classes[0] : undefined)
    const base = {
      index: arrow.vectorFromArray(
        rows.map(({ index }) => index),
        new Int32()
      ),
      input: arrow.vectorFromArray(
        rows.map(({ input }) => input),
        new Utf8()
      )
    }
    if ('features' in result) {
      const all = rows.map(({ result }) => floatsOf((result as { features: string }).features))
      const type = new FixedSizeList(all[0].length, new Field('item', new Float32(), false))
      return { ...base, features: arrow.vectorFromArray(all, type) }
    }
    if ('outputs' in result)
      return {
        ...base,
        outputs: arrow.vectorFromArray(
          rows.map(row => JSON.stringify((row.result as { outputs: object }).outputs)),
          new Utf8()
        )
      }
    if ('boxes' in result) {
      const texts = rows.map(row => JSON.stringify((row.result as { boxes: object }).boxes))
      return { ...base, boxes: arrow.vectorFromArray(texts, new Utf8()) }
    }
    return {
      ...base,
      class: arrow.vectorFromArray(
        rows.map(row => best(row)?.index ?? null),
        new Int32()
      ),
      label: arrow.vectorFromArray(
        rows.map(row => best(row)?.label ?? null),
        new Utf8()
      ),
      score: arrow.vectorFromArray(
        rows.map(row => best(row)?.score ?? null),
        new Float32()
      )
    }
  }
  const writer = new arrow.RecordBatchFileWriter()
  const stream = writer.toNodeStream().pipe(createWriteStream(path, { flush: true }))
  const end = finished(stream)
  // It is awaited below, behind all that is written.
  end.catch(() => undefined)
  let rows: Done[] = []
  const flush = async () => {
    if (rows.length) for (const batch of new arrow.Table(columns(rows) as never).batches) writer.write(batch as never)
    rows = []
    if (stream.writableNeedDrain) await Promise.race([once(stream, 'drain'), end])
  }
  for await (const record of done(journal)) {
    rows.push(record)
    if (rows.length === piece) await flush()
  }
  await flush()
  writer.finish()
  await end
}
