// y[row] = act(x[row] . w + bias + r[row]), w in panels of 8 columns: the hooks of panels.wgsl.
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
  gateAt: u32,
  shiftAt: u32,
}

@group(0) @binding(2) var<uniform> p: Gemm;

// What each element of a row goes through first: nothing; a product with its channel's factor, which then lies at gateAt; or with a
// constant there, plus one at shiftAt, and below 0 it is 0.
override LOADED_AS: u32 = 0;

const GATED: u32 = 1;

// Rows that an invocation loads in a step have the same channels, and the first of them comes first.
var<private> gate: vec4f;
var<private> shift: vec4f;

fn quadOf(i: u32, row: u32, k: u32) -> vec4f {
  let x = load4(row + k);
  if (LOADED_AS == 0) {
    return x;
  }
  if (LOADED_AS == GATED) {
    if (i == 0) {
      gate = load4(p.gateAt + k);
    }
    return x * gate;
  }
  if (i == 0) {
    gate = constant4(p.gateAt + k);
    shift = constant4(p.shiftAt + k);
  }
  return max(fma(x, gate, shift), vec4f());
}

fn rowCount() -> u32 {
  return p.rows;
}

fn columnCount() -> u32 {
  return p.columns;
}

fn partCount() -> u32 {
  return 1;
}

fn innerCount() -> u32 {
  return p.inner;
}

fn rowAt(row: u32, part: u32) -> u32 {
  return p.xAt + min(row, p.rows - 1) * p.xRow;
}

fn panelAt(panel: u32, part: u32) -> u32 {
  return min(panel, (p.columns - 1) / 8);
}

fn seekColumns(column: u32, part: u32) {
  seekOperands(column);
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  let count = min(p.columns - column, 4u);
  finishQuad(sum, p.rAt + row * p.rRow + column, p.yAt + row * p.yRow + column, count);
}
