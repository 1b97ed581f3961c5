// Whole networks against onnxruntime-node: the zoo at batch 1 and 3 from one file, networks that npm packages ship,
// and the models beside the checkout where there are some. CAIRN_ALL=1 runs the largest too.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { compileModel, numbersOfTensors } from '../support/cairn.js'
import { assertClose, tolerance } from '../support/compare.js'
import { picture, type Shape, textLine, verifyModel, withoutSigmoid } from '../support/network/verify.js'
import { numbersOf } from '../support/onnx/oracle.js'
import { baseSeed } from '../support/random.js'
import { root, sharedModels } from '../support/root.js'
import { whyLeftOut } from '../support/share.js'
import { skip } from '../support/skip.js'

const all = Boolean(process.env.CAIRN_ALL)
const only = process.env.CAIRN_ONLY
const largest = 76e6
const resolutions: readonly Shape[] = [
  { batch: 1, height: 64, width: 96 },
  { batch: 2, height: 96, width: 160 },
  { batch: 1, height: 128, width: 32 }
]

const networks = suite(`zoo (seed ${baseSeed})`)
for (const [i, [name, { parameters, input, build }]] of Object.entries(zoo).entries()) {
  if (only && !name.includes(only)) continue
  const reason = whyLeftOut(i, parameters, largest)
  if (reason) {
    skip(`zoo ${name}`, reason)
    continue
  }
  const shapes = input[2] === 'H' ? resolutions : [{ batch: 1 }, { batch: 3 }]
  networks(name, async () => {
    // A detector's order of boxes may hang on the last bits of two scores.
    await verifyModel(build(), shapes, name, { steady: name === 'faster-rcnn' })
  })
}
networks.run()

/** Free dimensions where the file has some, its own sizes elsewhere. */
function files(folder: string): string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.onnx') && (!only || file.includes(only)))
    .sort()
}

/** Shapes that a file asks for beside the three resolutions: text lines are 48 pixels high. */
const lines: readonly Shape[] = [
  { batch: 1, height: 48, width: 192 },
  { batch: 2, height: 48, width: 320 },
  { batch: 1, height: 48, width: 96 }
]
const shapesFor = (file: string) => (/rec|cls/.test(file) ? lines : resolutions)

/** What networks are fed with, where it is not a picture from -1 to 1 (../shared/models/MODELS.md). */
const ranges: readonly [RegExp, number, number][] = [
  [/candy|mnist|resnet8|yolox/, 0, 255],
  [/squeezenet/, -120, 130],
  [/vww|fastestdet|superres|selfie|tbefn/, 0, 1]
]
function fillFor(file: string) {
  if (file.includes('_rec_')) return textLine
  const [, low, high] = ranges.find(([names]) => names.test(file)) ?? [file, -1, 1]
  return picture(low, high)
}

/**
 * A network that ends in Sigmoids may find nothing: all its outputs are then next to zero, where onnxruntime's own
 * Sigmoid is off by more than they are. Its logits are held to the usual limit, its outputs to that as probabilities and
 * to what a Sigmoid, a quarter at its steepest, makes of the logits' differences.
 */
async function verifyFile(path: string, file: string, limit?: number): Promise<void> {
  const model = readFileSync(path)
  const logits = withoutSigmoid(model)
  // A recogniser reads text, and at the seam of two letters it may waver between answers.
  const options = { fill: fillFor(file), limit, steady: file.includes('_rec_') }
  if (logits) {
    const apart = await verifyModel(logits, shapesFor(file), file, options)
    await verifyModel(model, shapesFor(file), file, { ...options, floor: 1, limit: (limit ?? tolerance) + apart / 4 })
  } else await verifyModel(model, shapesFor(file), file, options)
}

const shipped = suite(`npm models (seed ${baseSeed})`)
const assets = join(root, 'node_modules', '@gutenye', 'ocr-models', 'assets')
for (const file of files(assets))
  shipped(file, async () => {
    await verifyFile(join(assets, file), file)
  })
shipped.run()

function oneLine(error: unknown): void {
  assert.instance(error, CompileError)
  const { message } = error as Error
  assert.not.match(message, /\n/)
  assert.ok(message.length > 20 && message.length < 2000, message)
}

if (!sharedModels) skip('models beside the checkout', 'no folder ../shared/models')
else {
  const folder = sharedModels
  const real = suite(`shared models (seed ${baseSeed})`)
  for (const file of files(folder))
    real(file, async () => {
      // Binary16 between all layers, and results rounded to it: an error of 2^-11 each.
      const limit = file.includes('fp16') ? 5e-3 : undefined
      await verifyFile(join(folder, file), file, limit)
    })
  real.run()

  const light = suite('shared light models')
  for (const file of files(join(folder, 'light'))) {
    if (/vgg19/.test(file) && !all) {
      skip(file, '143 million parameters; CAIRN_ALL=1 runs it')
      continue
    }
    light(file, async () => {
      const session = await InferenceSession.create(compileModel(readFileSync(join(folder, 'light', file))))
      const count = 3 * 224 * 224
      const input = new Tensor(
        'float32',
        Float32Array.from({ length: count }, (_, i) => i / count),
        [1, 3, 224, 224]
      )
      const results = numbersOfTensors(await session.run({ [session.inputNames[0]]: input }))
      const stored = readFileSync(join(folder, 'light', file.replace('.onnx', '_output_0.pb')))
      const { dims, rawData, floatData } = onnxProto.onnx.TensorProto.decode(stored)
      const data = rawData?.length ? new Float32Array(new Uint8Array(rawData).buffer) : floatData
      const expected = { dtype: 'float32' as const, dims: dims.map(Number), data: numbersOf('float32', data) }
      assertClose({ output: results[session.outputNames[0]] }, { output: expected })
      await session.release()
    })
  }
  light.run()

  const negative = suite('shared models that are refused')
  for (const file of files(join(folder, 'negative')))
    negative(file, () => {
      try {
        compileModel(readFileSync(join(folder, 'negative', file)))
      } catch (error) {
        return oneLine(error)
      }
      assert.unreachable('is compiled')
    })
  negative.run()
}
