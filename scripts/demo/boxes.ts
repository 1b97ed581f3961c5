import { crop, type Picture } from '../../runtime/tensor/index.js'

/** From the text detector's map of probabilities to boxes around lines of text. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** Mean probability of its pixels. */
  readonly score: number
}

/**
 * Connected pixels above `threshold`; the detector is trained on lines shrunk towards their middle, so each box grows
 * again by area × 2 / perimeter (Liao et al. 2020, "Real-time Scene Text Detection with Differentiable Binarization").
 */
export function findBoxes(map: Float32Array, width: number, height: number, threshold = 0.3): Box[] {
  const seen = new Uint8Array(map.length)
  const boxes: Box[] = []
  for (let start = 0; start < map.length; start++) {
    if (seen[start] || map[start] < threshold) continue
    const stack = [start]
    let [left, right, top, bottom, sum, count] = [width, 0, height, 0, 0, 0]
    seen[start] = 1
    while (stack.length) {
      const at = stack.pop()!
      const [x, y] = [at % width, Math.floor(at / width)]
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
      sum += map[at]
      count++
      for (const [nx, ny] of [
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1]
      ]) {
        const next = ny * width + nx
        if (nx < 0 || ny < 0 || nx >= width || ny >= height || seen[next] || map[next] < threshold) continue
        seen[next] = 1
        stack.push(next)
      }
    }
    const score = sum / count
    if (score < 0.6 || right - left < 4 || bottom - top < 2) continue
    const [w, h] = [right - left + 1, bottom - top + 1]
    const grow = Math.round((w * h * 2) / (2 * (w + h)))
    const [x0, y0] = [Math.max(left - grow, 0), Math.max(top - grow, 0)]
    const [x1, y1] = [Math.min(right + 1 + grow, width), Math.min(bottom + 1 + grow, height)]
    boxes.push({ left: x0, top: y0, width: x1 - x0, height: y1 - y0, score })
  }
  return boxes.sort((a, b) => a.top - b.top)
}

export function cut(picture: Picture, { left, top, width, height }: Box): Picture {
  return crop(picture, left, top, width, height)
}

export function turned({ data, width, height }: Picture): Picture {
  const result = new Uint8Array(data.length)
  const pixels = width * height
  for (let i = 0; i < pixels; i++) result.set(data.subarray(i * 3, i * 3 + 3), (pixels - 1 - i) * 3)
  return { data: result, width, height }
}

/** The picture with a frame around each box. */
export function framed(picture: Picture, boxes: readonly Box[]): Picture {
  const data = Uint8Array.from(picture.data)
  for (const { left, top, width, height } of boxes)
    for (let y = top; y < top + height; y++)
      for (let x = left; x < left + width; x++) {
        const inside = x > left + 1 && x < left + width - 2 && y > top + 1 && y < top + height - 2
        if (!inside) data.set([220, 30, 60], (y * picture.width + x) * 3)
      }
  return { ...picture, data }
}
