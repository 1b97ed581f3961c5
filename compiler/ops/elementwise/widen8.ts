import type { Packing } from '../../../runtime/file/index.js'
import type { Elements } from '../../graph/index.js'
import { kernel, type Lowering, type View } from '../op.js'

/** Weights that the file holds in 8 bits, as the floats that kernels read. */

/**
 * y = w * scale of packed weights (runtime/file/program.ts, `Packing`), one scale a column of each group: w without padding, y with
 * zeros for it. `panel` is the width of panels, the number of columns where there are none.
 */
export const widen8Kernel = kernel({
  name: 'widen8',
  fields: { groups: 'u32', rows: 'u32', columns: 'u32', panel: 'u32' },
  buffers: { w: 'read', y: 'write', scale: 'read' },
  reference({ groups, rows, columns, panel }, { w, y, scale }) {
    let [from, to] = [0, 0]
    for (let g = 0; g < groups; g++)
      for (let first = 0; first < columns; first += panel)
        for (let row = 0; row < rows; row++)
          for (let c = 0; c < panel; c++)
            y[to++] = first + c < columns ? Math.fround(w[from++] * scale[g * columns + first + c]) : 0
  }
})

/** The weights in a buffer that is made of whole numbers from -127 to 127, one scale a column, when a model is loaded. */
export function widened(to: Lowering, key: string, elements: Elements, packing: Packing): View {
  const { groups, rows, columns } = packing
  const panel = packing.panel || columns
  const columnOf = columnsOf(packing)
  const scales = new Float32Array(groups * columns)
  for (let i = 0; i < elements.length; i++) scales[columnOf[i]] = Math.max(scales[columnOf[i]], Math.abs(elements[i]))
  for (let column = 0; column < scales.length; column++) scales[column] = scales[column] / 127 || 1
  const whole = Float32Array.from(columnOf, (column, i) => Math.round(elements[i] / scales[column]))
  // Scales first: who widens weights as they arrive has them then.
  const scale = to.constant(`${key} scales`, () => scales)
  const w = to.constant(`${key} int8`, () => whole, undefined, 'i8')
  const length = groups * rows * Math.ceil(columns / panel) * panel
  return to.derived(key, length, y => to.call(widen8Kernel, { groups, rows, columns, panel }, { w, y, scale }))
}

/** The column of each element, counted through the groups. */
function columnsOf({ groups, rows, columns, panel }: Packing): Uint32Array {
  const column = new Uint32Array(groups * rows * columns)
  const width = panel || columns
  let at = 0
  for (let g = 0; g < groups; g++)
    for (let first = 0; first < columns; first += width)
      for (let row = 0; row < rows; row++)
        for (let c = first; c < Math.min(first + width, columns); c++) column[at++] = g * columns + c
  return column
}
