import type { Elements, Place, Ran } from '../backend/index.js'
import { CairnError } from '../base/index.js'
import { cutsOf, type Outcome } from '../file/index.js'

/** An output of a run, cut to what there is of it; of what lies on the GPU only the dims change. */
export function cutOutput(
  program: Outcome,
  ran: Ran,
  output: number,
  dims: readonly number[]
): { data: Elements; dims: readonly number[] } {
  let [data, left] = [ran[output]!, dims]
  for (const { axis, result } of cutsOf(program, output)) {
    const [found] = ran[result] as Float32Array
    const size = Math.min(Math.max(Math.trunc(found) || 0, 0), left[axis])
    if (ArrayBuffer.isView(data)) data = shortened(data, left, axis, size)
    left = left.map((all, a) => (a === axis ? size : all))
  }
  return { data, dims: left }
}

function shortened(data: Float32Array, dims: readonly number[], axis: number, size: number): Float32Array {
  const sizeOf = (list: readonly number[]) => list.reduce((a, b) => a * b, 1)
  const [outer, inner] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis + 1))]
  if (outer === 1) return data.slice(0, size * inner)
  const result = new Float32Array(outer * size * inner)
  for (let i = 0; i < outer; i++) {
    const from = i * dims[axis] * inner
    result.set(data.subarray(from, from + size * inner), i * size * inner)
  }
  return result
}

/** Refuses to keep on the GPU what would not be its beginning once it is cut. */
export function checkKept(program: Outcome, output: number, dims: readonly number[], place: Place): void {
  if (place !== 'gpu-buffer') return
  for (const { axis } of cutsOf(program, output))
    if (dims.slice(0, axis).some(size => size !== 1))
      throw new CairnError(
        `output "${program.outputs[output].name}" is cut along axis ${axis} to what a run finds and cannot stay on the GPU; "cpu" is allowed`
      )
}
