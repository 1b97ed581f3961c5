/** Weights of 8 bits as floats; see compiler/ops/elementwise/widen8.ts. */
@unmanaged
export class Widen8Params {
  panels: u32
  rows: u32
  columns: u32
}

/** Once when a model is loaded, on one thread. */
export function widen8(p: Widen8Params, w: usize, y: usize, scale: usize): void {
  const columns = p.columns
  for (let panel: u32 = 0; panel < p.panels; panel++, scale += columns << 2)
    for (let row: u32 = 0; row < p.rows; row++, w += columns, y += columns << 2)
      for (let column: u32 = 0; column < columns; column++) {
        const step = load<f32>(scale + ((<usize>column) << 2))
        store<f32>(y + ((<usize>column) << 2), <f32>load<i8>(w + column) * step)
      }
}
