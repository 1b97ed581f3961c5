import type { Output } from '../engine/protocol.js'
import { areShares, type Fed, type Point, type RecogniseOne, sumOf, vectorOf } from './output.js'

/** How many landmarks models of faces, hands and bodies give. */
const known = new Set([5, 6, 7, 17, 18, 19, 21, 25, 29, 33, 39, 68, 70, 98, 106, 133, 194, 468, 478])

/** Rows of (x, y), or with a third number, [1, P, 2]; or all in one row, [1, 2P]. They count as places only if they lie on the picture. */
export const points: RecogniseOne = (output, fed) => {
  if (!fed.planes || !output.type.startsWith('float')) return undefined
  for (const [rows, columns] of layoutsOf(output, fed)) {
    const found = pointsAt(output.data, rows, columns, fed)
    if (found) return { kind: 'points', of: [output.name], points: found }
  }
  return undefined
}

/** Numbers of points, and of numbers for each. */
function layoutsOf(output: Output, fed: Fed): (readonly [number, number])[] {
  const { dims } = output
  const [rows, columns] = dims.slice(-2)
  if (dims.length > 2 && dims.slice(0, -2).every(size => size === 1) && rows > 3 && (columns === 2 || columns === 3))
    return [[rows, columns]]
  const vector = vectorOf(output, fed)
  if (!vector) return []
  return [2, 3].map(each => [vector.length / each, each] as const).filter(([count]) => known.has(count))
}

function pointsAt(data: Float32Array, rows: number, columns: number, { height, width }: Fed): Point[] | undefined {
  const used = data.subarray(0, rows * columns)
  if (used.length < rows * columns || !used.every(Number.isFinite)) return undefined
  const places = Array.from({ length: rows }, (_, row) => [used[row * columns], used[row * columns + 1]] as const)
  const shares = places.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= 1.5)
  const [wide, high] = shares ? [1, 1] : [width, height]
  // MoveNet's rows are y, x and how sure it is; three numbers else are x, y and a depth.
  const swapped = columns === 3 && shares && areShares(used)
  const found = places.map(([a, b]) => (swapped ? { x: b / wide, y: a / high } : { x: a / wide, y: b / high }))
  const inside = found.filter(({ x, y }) => x >= -0.02 && x <= 1.02 && y >= -0.02 && y <= 1.02)
  const isDistribution = Math.abs(sumOf(used) - 1) < 1e-2
  if (inside.length < 0.95 * rows || isDistribution || !isSpread(found)) return undefined
  return found
}

/** Landmarks are not all in one place. */
function isSpread(found: readonly Point[]): boolean {
  const spread = (values: number[]) => Math.max(...values) - Math.min(...values)
  return spread(found.map(({ x }) => x)) > 0.1 && spread(found.map(({ y }) => y)) > 0.1
}
