// y[row] = act(x[row] . w + bias + r[row]), w in panels of 8 columns: with rows.wgsl the hooks of panels.wgsl.
struct Gemm {
  rows: u32,
  inner: u32,
  columns: u32,
  xRow: u32,
  yRow: u32,
  rRow: u32,
  residual: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  tiles: u32,
  xAt: u32,
  wAt: u32,
  biasAt: u32,
  slopeAt: u32,
  rAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Gemm;

fn quadOf(i: u32, row: u32, k: u32) -> vec4f {
  return load4(row + k);
}
