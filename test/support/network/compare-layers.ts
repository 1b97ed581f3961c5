// Quantised networks on layers of bytes, each layer against onnxruntime's plain graph of it.
import * as assert from 'uvu/assert'
import { build } from '../../../compiler/index.js'
import { bytes } from '../../../runtime/check/bytes.js'
import type { Program } from '../../../runtime/file/program.js'
import { type BackendName, compileModel, Runner } from '../cairn.js'
import { Guarded } from '../guarded.js'
import { type Bindings, type Named, type Numbers, Oracle } from '../onnx/oracle.js'
import { apart, withLayers } from '../onnx/quantised.js'

/** Ties, of which onnxruntime's floats round some the other way. */
export const mostTies = 1e-3

interface Quantised {
  /** A QDQ model. */
  readonly model: Uint8Array
  readonly feeds: Named
  readonly bindings?: Bindings
}

/** Largest scale that separates neighbouring levels of what a tensor holds. */
function stepOf({ data }: Numbers): number {
  const levels = [...new Set(Array.from(data))].sort((a, b) => a - b)
  return levels.reduce(
    (least, level, i) => (i ? Math.min(least, level - levels[i - 1]) : least),
    Number.POSITIVE_INFINITY
  )
}

/**
 * Layers that are computed in floats between conversions, whose last bits backends round each in its own way: what lies at the edge
 * of a step is a step off.
 */
function layersInFloats({ calls, kernels }: Program): ReadonlySet<string> {
  const isExact = (name: string, act: unknown) => Object.hasOwn(bytes, name) || (name === 'unary' && act === 0)
  const inFloats = calls.filter(({ kernel, parameters }) => !isExact(kernels[kernel].name, parameters.at(-3)))
  return new Set(inFloats.map(({ node }) => node.split(/[#.]/)[0]))
}

/** Whether a tensor has the elements of another but for ties, which are a step off. */
function isNear(own: Numbers, wanted: Numbers): boolean {
  const step = 1.01 * Math.min(stepOf(own), stepOf(wanted))
  const off = Array.from(own.data, (value, i) => Math.abs(value - wanted.data[i])).filter(by => by > 0)
  return off.length <= Math.max(1, mostTies * own.data.length) && off.every(by => by < step)
}

/** The same integers on all backends and any threads, and onnxruntime's, or off by one; how many of those there are. */
export async function compareLayers(
  { model, feeds, bindings = {} }: Quantised,
  backends: readonly BackendName[]
): Promise<{ elements: number; ties: number }> {
  const { model: whole, names } = withLayers(model)
  const file = compileModel(whole)
  const { program } = build(whole)
  const inFloats = layersInFloats(program)
  let first: Record<string, Numbers> | undefined
  for (const backend of backends) {
    const runner = await Runner.load(file, backend)
    const results = await runner.run(feeds)
    await runner.release()
    for (const name of first ? names : []) {
      const [own, wanted] = [results[name], first![name]]
      const isSame = Array.from(own.data).every((value, i) => value === wanted.data[i])
      // What is behind a tie in floats is another network.
      if (!isSame && inFloats.has(name.split('#')[0]) && isNear(own, wanted)) break
      assert.equal(own.data, wanted.data, `${name} on ${backend}`)
    }
    first ??= results
  }
  const inputs = program.inputs.map(port => feeds[port.name].data)
  const alone = (await Guarded.of(program, bindings)).run(inputs)
  const divided = (await Guarded.of(program, bindings, 3)).run(inputs)
  alone.forEach((data, i) => assert.equal(divided[i], data, `output ${i} on three threads`))
  const oracle = await Oracle.load(apart(model))
  const expected = await oracle.run(
    Object.fromEntries(oracle.inputNames.map(name => [name, feeds[name] ?? first![name]]))
  )
  await oracle.release()
  let [elements, ties] = [0, 0]
  for (const name of names) {
    const [own, wanted] = [first![name].data, expected[`${name} out`].data]
    assert.is(own.length, wanted.length, name)
    const step = Math.min(stepOf(first![name]), stepOf(expected[`${name} out`]))
    let off = 0
    for (let i = 0; i < own.length; i++) {
      if (own[i] === wanted[i]) continue
      assert.ok(
        Math.abs(own[i] - wanted[i]) < 1.01 * step,
        `${name}[${i}] is ${own[i]} for ${wanted[i]}, in steps of ${step}`
      )
      off++
    }
    ties += off
    elements += own.length
  }
  return { elements, ties }
}
