import { type Box, floor } from '../output.js'

/** Overlap from which two boxes are taken for the same thing, whatever classes they have. */
const most = 0.45
const kept = 100

/** The surest boxes, without those that lie on a surer one. */
export function suppress(boxes: readonly Box[]): Box[] {
  const result: Box[] = []
  for (const box of boxes.filter(({ score }) => score >= floor).sort((a, b) => b.score - a.score)) {
    if (result.every(other => overlap(box, other) < most)) result.push(box)
    if (result.length === kept) break
  }
  return result
}

function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (wide <= 0 || high <= 0) return 0
  const area = ({ left, top, right, bottom }: Box) => (right - left) * (bottom - top)
  return (wide * high) / (area(a) + area(b) - wide * high)
}

export function around(x: number, y: number, width: number, height: number, score: number, index: number): Box {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2, score, index }
}

/** The largest of `count` numbers, `step` apart, and which it is. */
export function best(data: Float32Array, from: number, count: number, step = 1): { index: number; score: number } {
  let index = 0
  for (let i = 1; i < count; i++) if (data[from + i * step] > data[from + index * step]) index = i
  return { index, score: data[from + index * step] }
}
