import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { labelsOf, labelsOption, readyFor } from './model/index.js'
import { imageOptions, preparationOf } from './pictures/index.js'
import {
  type Command,
  InputError,
  jsonOption,
  needPeers,
  Progress,
  print,
  printJson,
  UsageError
} from './terminal/index.js'

const tasks = ['classify', 'detect', 'embed', 'outputs'] as const

/** `cairn batch`: many pictures through one model, each once in the results whatever dies under way. */
export const batch: Command = {
  name: 'batch',
  usage: '<inputs...>',
  summary: 'Run a model on many pictures, here or on the workers of a queue.',
  options: [
    { flag: '--model', value: 'M', help: 'an .onnx or .cairn model' },
    { flag: '-o, --output', value: 'F', help: 'results: .jsonl, or .arrow (needs apache-arrow)' },
    {
      flag: '--task',
      value: 'T',
      help: 'classify (default), detect (boxes), embed (features for k-NN) or outputs (as they are)'
    },
    { flag: '--top', value: 'K', help: 'classes of each picture (default 5)' },
    labelsOption,
    ...imageOptions,
    { flag: '--redis', value: 'URL', help: 'put the work on a queue for cairn worker (needs bullmq and ioredis)' },
    { flag: '--queue', value: 'NAME', help: 'with --redis: which queue (default cairn)' },
    { flag: '--inline', help: 'with --redis: put pictures themselves on the queue, not their paths' },
    { flag: '--threads', value: 'N', help: 'without --redis: threads (default: one a core)' },
    { flag: '--attempts', value: 'N', help: 'tries of a picture before it ends among the failures (default 3)' },
    { flag: '--window', value: 'N', help: 'pictures under way at once (default 4096 with --redis, else 64)' },
    jsonOption
  ],
  examples: [
    'photos --model mobilenet.cairn --labels imagenet.txt -o classes.jsonl',
    'list.txt --model resnet.onnx --task embed --redis redis://queue:6379 -o features.arrow'
  ],

  async run(places, flags) {
    const [model, output] = ['model', 'output'].map(name => flags.text(name))
    if (model === undefined || output === undefined) throw new UsageError('batch: --model M and -o OUT are needed')
    if (!/\.(jsonl|arrow)$/i.test(output)) throw new UsageError(`-o ${output}: a name in .jsonl or .arrow is allowed`)
    const task = flags.choice('task', tasks, 'classify')
    if (task !== 'classify') flags.refuse(['top'], `with --task ${task}`)
    if (task === 'embed' || task === 'outputs') flags.refuse(['labels'], `with --task ${task}`)
    const url = flags.text('redis')
    if (url === undefined) flags.refuse(['queue', 'inline'], 'without --redis')
    else {
      flags.refuse(['threads'], 'with --redis; each cairn worker has its own')
      await needPeers('--redis', ['bullmq', 'ioredis'])
    }
    if (/\.arrow$/i.test(output)) flags.refuse(['top'], 'with .arrow, which has the best class')
    if (/\.arrow$/i.test(output)) await needPeers('an .arrow file', ['apache-arrow'])
    const attempts = flags.whole('attempts') ?? 3
    const window = flags.whole('window') ?? (url === undefined ? 64 : 4096)
    const threads = flags.whole('threads') ?? availableParallelism()
    const queue = flags.text('queue') ?? 'cairn'

    // What is cut away cannot be found.
    const whole = task === 'detect' && !flags.has('pad') && flags.text('resize') === undefined
    const preparation = { ...preparationOf(flags), ...(whole ? { fit: 'stretch' as const } : {}) }
    const batches = await import('./serving/batches/index.js')
    const total = await batches.countInputs(places)
    const prepared = await batches.prepare(model, task, flags.whole('top') ?? 5, labelsOf(flags), preparation)
    const { settings } = prepared
    readyFor(output)
    const journal = await batches.Journal.open(`${output}.journal`, {
      batch: randomUUID(),
      settings: JSON.stringify(settings)
    })
    const began = performance.now()
    const before = journal.next
    if (before)
      process.stderr.write(`cairn: note: ${journal.path} has ${before} inputs already; the batch goes on there\n`)
    const executor =
      url === undefined
        ? new batches.LocalExecutor(prepared, threads, attempts)
        : await batches.QueueExecutor.create(journal.head.batch, prepared, {
            ...{ url, queue, attempts, inline: flags.has('inline') },
            note: line => process.stderr.write(`cairn: note: ${line}\n`)
          }).catch(error => {
            journal.removeEmpty()
            throw error
          })
    const progress = new Progress(total, 'lines')
    let done = false
    try {
      await batches.drive(batches.inputsOf(places), executor, journal, window, (done, failed) =>
        progress.step(done, failed ? `pictures, ${failed} of them failed` : 'pictures')
      )
      done = journal.next === total
    } finally {
      progress.stop()
      await executor.end(done)
    }
    if (journal.next !== total)
      throw new InputError(`${journal.path} has ${journal.next} inputs and there are ${total}; delete it to begin anew`)
    const failures = `${output.replace(/\.\w+$/, '')}.failed.jsonl`
    journal.close()
    await batches.writeResults(journal, output, failures)
    const { failed } = journal
    const reason = failed && failed === total ? await journal.reason() : undefined
    journal.remove()
    const seconds = (performance.now() - began) / 1000
    if (flags.has('json'))
      printJson({
        output,
        inputs: total,
        done: total - failed,
        failed,
        failures: failed ? failures : undefined,
        seconds
      })
    else {
      print(`${total - failed} of ${total} pictures in ${output}, ${((total - before) / seconds).toFixed(1)} a second`)
      if (failed) print(`${failed} failed, and are in ${failures} with the reasons`)
    }
    if (reason !== undefined) throw new InputError(`no picture has a result; the first has failed: ${reason}`)
  }
}
