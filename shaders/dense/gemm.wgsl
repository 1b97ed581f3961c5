// y[row] = act(x[row] . w + bias + r[row]), w in panels of 8 columns: the hooks of panels.wgsl, and a product of its own
// for few rows, whose time is that of reading the weights.
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

var<workgroup> halfSums: array<vec4f, 128>;

// A workgroup for a panel of 8 columns of one row: each invocation sums every 64th product.
@compute @workgroup_size(64)
fn rowTimesPanel(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let panel = group.x;
  let row = group.y;
  let start = p.xAt + row * p.xRow;
  let first = p.wAt + panel * p.inner * 8;
  var low = vec4f();
  var high = vec4f();
  let steps = (p.inner + 63) / 64;
  for (var step = 0u; step < steps; step++) {
    let k = step * 64 + local;
    if (k < p.inner) {
      let x = vec4f(load(start + k));
      low = fma(x, weight4(first + k * 8), low);
      high = fma(x, weight4(first + k * 8 + 4), high);
    }
  }
  halfSums[local] = low;
  halfSums[local + 64] = high;
  for (var width = 32u; width > 0; width >>= 1) {
    workgroupBarrier();
    if (local < width) {
      halfSums[local] += halfSums[local + width];
      halfSums[local + 64] += halfSums[local + 64 + width];
    }
  }
  workgroupBarrier();
  let column = panel * 8 + local * 4;
  if (local < 2 && column < p.columns) {
    seekColumns(column, 0);
    writeRow(row, column, 0, halfSums[local * 64]);
  }
}
