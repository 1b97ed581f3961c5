/** Weights of 8 bits as floats, in padded panels; see compiler/ops/elementwise/widen8.ts. */
@unmanaged
export class Widen8Params {
  groups: u32
  rows: u32
  columns: u32
  panel: u32
}

/** Once when a model is loaded, on one thread. */
export function widen8(p: Widen8Params, w: usize, y: usize, scale: usize): void {
  const columns = p.columns
  const panel = p.panel
  for (let g: u32 = 0; g < p.groups; g++)
    for (let first: u32 = 0; first < columns; first += panel) {
      const width = min(panel, columns - first)
      for (let row: u32 = 0; row < p.rows; row++, w += width, y += panel << 2) {
        for (let c: u32 = 0; c < width; c++)
          store<f32>(y + ((<usize>c) << 2), <f32>load<i8>(w + c) * load<f32>(scale + ((<usize>c) << 2)))
        memory.fill(y + ((<usize>width) << 2), 0, (panel - width) << 2)
      }
      scale += width << 2
    }
}
