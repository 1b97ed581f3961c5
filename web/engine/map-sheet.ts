import type { Picture } from 'cairnjs'

/** Maps of a sheet at most, and how many lie side by side. */
const [most, columns] = [64, 8]

/** The maps of a layer side by side, each from its least element, black, to its largest, white; units without maps in rows, on one scale. */
export function sheetOf(
  data: Float32Array,
  units: number,
  height: number,
  width: number
): { sheet: Picture; shown: number } {
  const size = height * width
  if (size === 1) return { sheet: rowsOf(data), shown: units }
  const shown = Math.min(units, most)
  const across = Math.min(shown, columns)
  const [wide, high] = [across * (width + 1) - 1, Math.ceil(shown / across) * (height + 1) - 1]
  const pixels = new Uint8ClampedArray(wide * high * 4)
  for (let unit = 0; unit < shown; unit++) {
    const shadeOf = shades(data.subarray(unit * size, (unit + 1) * size))
    const [left, top] = [(unit % across) * (width + 1), Math.floor(unit / across) * (height + 1)]
    for (let i = 0; i < size; i++)
      paint(pixels, (top + Math.floor(i / width)) * wide + left + (i % width), shadeOf(data[unit * size + i]))
  }
  return { sheet: { data: pixels, width: wide, height: high }, shown }
}

function rowsOf(data: Float32Array): Picture {
  const width = Math.ceil(Math.sqrt(data.length * columns))
  const height = Math.ceil(data.length / width)
  const pixels = new Uint8ClampedArray(width * height * 4)
  const shadeOf = shades(data)
  data.forEach((value, i) => {
    paint(pixels, i, shadeOf(value))
  })
  return { data: pixels, width, height }
}

function shades(values: Float32Array): (value: number) => number {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    least = Math.min(least, value)
    largest = Math.max(largest, value)
  }
  return value => (largest > least ? (255 * (value - least)) / (largest - least) : 128)
}

function paint(pixels: Uint8ClampedArray, at: number, shade: number): void {
  pixels.fill(shade, at * 4, at * 4 + 3)
  pixels[at * 4 + 3] = 255
}
