// y[row] = requantise((x[row] - xZero) . w), rows of bytes: the hooks of product8.wgsl.
struct Gemm8 {
  rows: u32,
  inner: u32,
  columns: u32,
  xRow: u32,
  yRow: u32,
  xZero: u32,
  yZero: u32,
  low: u32,
  high: u32,
  tiles: u32,
  xAt: u32,
  wAt: u32,
  sumsAt: u32,
  scaleAt: u32,
  biasAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Gemm8;

var<private> rowStart: array<u32, 8>;
var<private> k: u32;

fn zeroPoint() -> u32 {
  return p.xZero;
}

fn rowCount() -> u32 {
  return p.rows;
}

fn columnCount() -> u32 {
  return p.columns;
}

fn wordCount() -> u32 {
  return (p.inner + 3) / 4;
}

fn panelAt(panel: u32, part: u32) -> u32 {
  return min(panel, (p.columns - 1) / 8);
}

fn seekRow(i: u32, row: u32, part: u32) {
  rowStart[i] = p.xAt + min(row, p.rows - 1) * p.xRow;
}

fn seekWord(word: u32) {
  k = min(word, wordCount() - 1) * 4;
}

fn rowWord(i: u32) -> u32 {
  return packed(load4(rowStart[i] + k));
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4i) {
  requantiseQuad(sum, column, p.yAt + row * p.yRow + column, min(p.columns - column, 4u));
}
