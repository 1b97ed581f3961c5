import { kernel, type Lowering, type View } from '../op.js'

/** Weights that the file holds in 8 bits, as the floats that kernels read. */

/** y = w * scale: panels of rows of columns, whose scales are those of the panel's columns. */
export const widen8Kernel = kernel({
  name: 'widen8',
  fields: { panels: 'u32', rows: 'u32', columns: 'u32' },
  buffers: { w: 'read', y: 'write', scale: 'read' },
  reference({ panels, rows, columns }, { w, y, scale }) {
    for (let panel = 0, at = 0; panel < panels; panel++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++, at++)
          y[at] = Math.fround(w[at] * scale[panel * columns + column])
  }
})

/** Panels of floats, as the file will hold them. */
export interface Panels {
  readonly data: Float32Array
  readonly panels: number
  readonly rows: number
  readonly columns: number
}

/** The floats in a buffer that is made of whole numbers from -127 to 127, one scale a column, when a model is loaded. */
export function widened(to: Lowering, key: string, make: () => Panels): View {
  const { data, panels, rows, columns } = make()
  const scales = new Float32Array(panels * columns)
  const each = (body: (at: number, column: number) => void) => {
    for (let panel = 0, at = 0; panel < panels; panel++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) body(at++, panel * columns + column)
  }
  each((at, column) => {
    scales[column] = Math.max(scales[column], Math.abs(data[at]))
  })
  for (let column = 0; column < scales.length; column++) scales[column] = scales[column] / 127 || 1
  const whole = new Float32Array(data.length)
  each((at, column) => {
    whole[at] = Math.round(data[at] / scales[column])
  })
  // Scales first: who widens weights as they arrive has them then.
  const scale = to.constant(`${key} scales`, () => scales)
  const w = to.constant(`${key} int8`, () => whole, undefined, 'i8')
  return to.derived(key, data.length, y => to.call(widen8Kernel, { panels, rows, columns }, { w, y, scale }))
}
