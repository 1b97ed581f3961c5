import { Random } from '../../runtime/train/index.js'

const iterations = 200

/**
 * The first two principal components of vectors, as coordinates of each [x, y] and the share of the variance that each component has:
 * power iteration on the centred vectors (Hotelling 1933), the second at right angles to the first.
 */
export function principal(vectors: readonly Float32Array[]): { points: [number, number][]; shares: [number, number] } {
  const [count, size] = [vectors.length, vectors[0].length]
  const mean = new Float64Array(size)
  for (const vector of vectors) for (let i = 0; i < size; i++) mean[i] += vector[i] / count
  const centred = vectors.map(vector => Float64Array.from(vector, (value, i) => value - mean[i]))
  const total = centred.reduce((sum, each) => sum + each.reduce((a, b) => a + b * b, 0), 0)
  const found: { axis: Float64Array; scores: Float64Array }[] = []
  const random = new Random(1)
  while (found.length < 2) {
    let axis = unit(Float64Array.from({ length: size }, () => random.normal()))
    for (let i = 0; i < iterations; i++) {
      const scores = scoresOf(centred, axis)
      const next = new Float64Array(size)
      centred.forEach((vector, k) => {
        for (let j = 0; j < size; j++) next[j] += scores[k] * vector[j]
      })
      for (const { axis: other } of found) {
        const along = dot(next, other)
        for (let j = 0; j < size; j++) next[j] -= along * other[j]
      }
      if (!next.some(value => value !== 0)) break
      axis = unit(next)
    }
    found.push({ axis, scores: scoresOf(centred, axis) })
  }
  const [first, second] = found.map(({ scores }) => scores)
  const share = (scores: Float64Array) => (total ? dot(scores, scores) / total : 0)
  return {
    points: vectors.map((_, k) => [first[k], second[k]]),
    shares: [share(first), share(second)]
  }
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const scoresOf = (vectors: readonly Float64Array[], axis: Float64Array) =>
  Float64Array.from(vectors, vector => dot(vector, axis))

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector) || 1
  return vector.map(value => value / length)
}
