// y[row] = act((x[row] * gate) . w + bias + r[row]), w in panels of 8 columns: a factor for each channel in front; with rows.wgsl the hooks of panels.wgsl.
struct GatedGemm {
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
  gateAt: u32,
}

@group(0) @binding(2) var<uniform> p: GatedGemm;

// Rows that an invocation loads in a step have the same channels, and the first of them comes first.
var<private> gate: vec4f;

fn quadOf(i: u32, row: u32, k: u32) -> vec4f {
  if (i == 0) {
    gate = load4(p.gateAt + k);
  }
  return load4(row + k) * gate;
}
