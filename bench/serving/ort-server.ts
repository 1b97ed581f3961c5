// The server's own code with onnxruntime-node in its threads; started by throughput.ts as cairn serve is.
import { apiOptions, apiOptionsOf } from '../../cli/serving/flags.js'
import { letHeapsGrow } from '../../cli/serving/serve-api.js'
import { startServer } from '../../cli/serving/server.js'
import { Flags, longName } from '../../cli/terminal/index.js'

const given = Object.fromEntries(
  process.argv.slice(2).flatMap((word, i, all) => (word.startsWith('--') ? [[word.slice(2), all[i + 1] ?? true]] : []))
)
const unknown = Object.keys(given).find(name => !apiOptions.map(longName).includes(name))
if (unknown) throw new Error(`--${unknown}: no such flag`)
letHeapsGrow()
const server = await startServer(
  { ...apiOptionsOf(new Flags(given)), quiet: true, grpc: undefined },
  'onnxruntime-node',
  undefined,
  new URL('./ort-thread.js', import.meta.url)
)
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`)
process.once('SIGTERM', () => server.close())
