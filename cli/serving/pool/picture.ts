import type { Header, Port } from '../../../runtime/file/index.js'
import type { InferenceSession, Results, Tensor } from '../../../runtime/index.js'
import { classesOf, toNumbers } from '../../model/index.js'
import { imagePort, imageTensor, pictureOf, preparationOf } from '../../pictures/index.js'
import { Flags, InputError } from '../../terminal/index.js'
import type { PictureResult, Pictures, Work } from './messages.js'

type PictureWork = Extract<Work, { kind: 'picture' }>

/** As ImageNet models expect pictures, unless somebody says otherwise. */
const usual = preparationOf(new Flags({}))

/** What `task` asks of one picture, decoded, prepared and run here. */
export async function resultOf(
  session: InferenceSession,
  header: Header,
  { labels, prepare: always = usual, features, mostPixels }: Pictures,
  { name, bytes, task }: PictureWork,
  signal: AbortSignal
): Promise<PictureResult> {
  const prepare = (task.kind === 'classify' && task.prepare) || always
  const port = pictureInput(header, prepare.layout)
  const picture = await pictureOf(bytes, name, mostPixels)
  const feeds = { [port.name]: imageTensor(picture, port, prepare) }
  const fetches = task.kind === 'embed' ? [features ?? header.outputs[0].name] : undefined
  const results = await session.run(feeds, fetches, { signal })
  if (task.kind === 'embed') return { features: featuresOf(results[fetches![0]]) }
  if (task.kind === 'detect') {
    const { boxesIn } = await import('./detect.js')
    return { boxes: await boxesIn(results, header, feeds[port.name], picture, prepare, labels) }
  }
  if (task.kind === 'classify') return { classes: classesIn(results, header, labels, task.count) }
  const outputs = Object.entries(results).map(([name, tensor]) => [
    name,
    { dims: tensor.dims, data: [...toNumbers(tensor)] }
  ])
  return { outputs: Object.fromEntries(outputs) }
}

function classesIn(results: Results, header: Header, labels: readonly string[] | undefined, count: number) {
  const { top } = classesOf(results, header, { count, labels, said: true })
  if (!top) throw new InputError('no output of the model holds one score a class')
  return top.map(({ index, score, label }) => ({ index, score, label }))
}

export function pictureInput(header: Pick<Header, 'inputs'>, layout?: 'NCHW' | 'NHWC'): Port {
  if (header.inputs.length !== 1) throw new InputError(`the model has ${header.inputs.length} inputs; a picture is one`)
  return imagePort(header, layout, { flag: 'picture', instead: 'infer takes tensors' })
}

/** Numbers of a map are averaged, channel by channel. */
function featuresOf(tensor: Tensor): Float32Array {
  const [, channels = 1] = tensor.dims
  const numbers = toNumbers(tensor)
  if (tensor.dims.length < 3) return Float32Array.from(numbers)
  const each = numbers.length / channels
  return Float32Array.from({ length: channels }, (_, c) => {
    let sum = 0
    for (let i = c * each; i < (c + 1) * each; i++) sum += numbers[i]
    return sum / each
  })
}
