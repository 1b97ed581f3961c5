// y = x . w of two activations, over up to two batch loops: the hooks of product.wgsl.
struct Matmul {
  rows: u32,
  inner: u32,
  columns: u32,
  d0: u32,
  d1: u32,
  x0: u32,
  x1: u32,
  w0: u32,
  w1: u32,
  y0: u32,
  y1: u32,
  xRow: u32,
  wRow: u32,
  wColumn: u32,
  yRow: u32,
  residual: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  tiles: u32,
  xAt: u32,
  wAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Matmul;

var<private> rowStart: array<u32, 8>;
// Columns behind the last read the last four.
var<private> weightStart: array<u32, 8>;

fn rowCount() -> u32 {
  return p.rows;
}

fn columnCount() -> u32 {
  return p.columns;
}

fn partCount() -> u32 {
  return p.d0 * p.d1;
}

fn stepCount() -> u32 {
  return (p.inner + 15) / 16;
}

fn seekRow(i: u32, row: u32, part: u32) {
  rowStart[i] = p.xAt + (part / p.d1) * p.x0 + (part % p.d1) * p.x1 + min(row, p.rows - 1) * p.xRow;
}

fn seekWeights(i: u32, quad: u32, part: u32) {
  let column = min(quad * 4, ((p.columns - 1) / 4) * 4);
  weightStart[i] = p.wAt + (part / p.d1) * p.w0 + (part % p.d1) * p.w1 + column * p.wColumn;
}

fn rowQuad(i: u32, step: u32, quad: u32) -> vec4f {
  let k = step * 16 + quad * 4;
  return select(vec4f(), fetchAny4(rowStart[i] + k), vec4u(k) + vec4u(0, 1, 2, 3) < vec4u(p.inner));
}

fn weightQuad(i: u32, step: u32, k: u32) -> vec4f {
  if (step * 16 + k >= p.inner) {
    return vec4f();
  }
  let at = weightStart[i] + (step * 16 + k) * p.wRow;
  return vec4f(fetch(at), fetch(at + p.wColumn), fetch(at + 2 * p.wColumn), fetch(at + 3 * p.wColumn));
}

fn begin(step: u32) {
}

fn advance() {
}

fn seekColumns(column: u32, part: u32) {
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  let y = p.yAt + (part / p.d1) * p.y0 + (part % p.d1) * p.y1 + row * p.yRow + column;
  storeSome(y, activate(p.act, sum, vec4f(p.alpha), p.beta), min(p.columns - column, 4u));
}
