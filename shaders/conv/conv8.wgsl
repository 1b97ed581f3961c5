// Convolution of bytes: its block, and what makes bytes of sums; the windows are those of windows8.wgsl.
struct Conv8 {
  batch: u32,
  groups: u32,
  channels: u32,
  filters: u32,
  inD: u32,
  inH: u32,
  inW: u32,
  outD: u32,
  outH: u32,
  outW: u32,
  kernelD: u32,
  kernelH: u32,
  kernelW: u32,
  strideD: u32,
  strideH: u32,
  strideW: u32,
  padD: u32,
  padH: u32,
  padW: u32,
  dilationD: u32,
  dilationH: u32,
  dilationW: u32,
  xN: u32,
  xD: u32,
  xH: u32,
  xW: u32,
  yN: u32,
  yD: u32,
  yH: u32,
  yW: u32,
  runs: u32,
  xZero: u32,
  yZero: u32,
  low: u32,
  high: u32,
  rows: u32,
  strip: u32,
  xAt: u32,
  wAt: u32,
  sumsAt: u32,
  scaleAt: u32,
  biasAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Conv8;

fn zeroPoint() -> u32 {
  return p.xZero;
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4i) {
  let at = pixelOf(row);
  let yAt = p.yAt + at.n * p.yN + at.d * p.yD + at.h * p.yH + at.w * p.yW + part * p.filters + column;
  requantiseQuad(sum, part * panelCount() * 8 + column, yAt, min(p.filters - column, 4u));
}
