import { type Bindings, evaluate, type Golden, storagesWritten } from '../../runtime/file/index.js'
import type { Body, Emitter } from './emit.js'

/** Bytes of what a layer is expected to sum up to, and of room for its sums (asm/standalone/check.ts). */
const layerBytes = 80
const sumBytes = 64
/** Numbers that are smaller may be taken for 0 (runtime/session/golden.ts). */
const smallest = 2 ** -126

/**
 * `check`: draws the golden input, makes the calls one after another, and compares the sums of what each has written. Returns
 * 0, or the number of the first layer that is off, from 1.
 */
export function addCheck(
  emitter: Emitter,
  body: Body,
  golden: Golden,
  begin: readonly number[]
): { at: number; bytes: Uint8Array } {
  const { program, bindings, places } = body
  const { plan, arena } = places
  const narrow = new Set(program.narrow)
  const at = places.take(program.calls.length * layerBytes)
  const sums = places.take(sumBytes)
  const spoil = (call: number) =>
    plan.blocks.flatMap(({ first, bytes }, i) => {
      if (first !== call || !bytes) return []
      const from = arena + plan.offsets[i]
      return [narrow.has(i) ? emitter.zeros(from, bytes) : emitter.callAt('spoil', from, bytes / 4)]
    })
  const draws = body.inputs.map(({ at, length }, i) => {
    const { low, step, levels } = golden.inputs[i]
    const numbers = [low, step, levels].map(each => emitter.f64(each))
    return emitter.call('draw', [emitter.i32(at), emitter.i32(length), emitter.i32(golden.seed + i), ...numbers])
  })
  const layers = program.calls.flatMap((call, i) => [
    ...emitter.programCalls(body, i, 1),
    emitter.callAt('begin', sums),
    ...storagesWritten(call).map(storage =>
      emitter.callAt('sum', arena + plan.offsets[storage], sizeOf(storage, body, bindings), Number(narrow.has(storage)))
    ),
    emitter.unlessTrue(emitter.call('judge', [emitter.i32(at + i * layerBytes)], emitter.number), i + 1),
    ...spoil(i + 1)
  ])
  emitter.add('check', [...begin, ...spoil(-1), ...draws, ...spoil(0), ...layers, emitter.i32(0)], emitter.number)
  return { at, bytes: tableOf(golden) }
}

const sizeOf = (storage: number, { program }: Body, bindings: Bindings) => evaluate(program.storages[storage], bindings)

function tableOf({ layers }: Golden): Uint8Array {
  const view = new DataView(new ArrayBuffer(layers.length * layerBytes))
  layers.forEach(({ limit, sums, count }, i) => {
    const numbers = [limit + Math.sqrt(count) * smallest, ...sums]
    numbers.forEach((value, k) => {
      view.setFloat64(i * layerBytes + k * 8, value, true)
    })
    view.setUint32(i * layerBytes + numbers.length * 8, count, true)
  })
  return new Uint8Array(view.buffer)
}
