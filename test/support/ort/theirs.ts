// A process of its own, because onnxruntime-web and the stand-in would share one instance of onnxruntime-common: prints what
// each trial comes to on onnxruntime-web.
import { type Api, outcomeOf } from './kit.js'
import { trials } from './trials.js'

const api = (await import('onnxruntime-web')) as unknown as Api
const outcomes: string[] = []
for (const each of trials) outcomes.push(await outcomeOf(each, api))
process.stdout.write(`\n${JSON.stringify(outcomes)}`)
process.exit(0)
