// As conv8.wgsl, of sums as they are, each rounded once by an addition; the zero point lies in memory.
struct Conv32 {
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
  zeroAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Conv32;

fn zeroPoint() -> u32 {
  return u32(clamp(load(p.zeroAt) + f32(p.xZero), 0, 255));
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4i) {
  let at = pixelOf(row);
  let yAt = p.yAt + at.n * p.yN + at.d * p.yD + at.h * p.yH + at.w * p.yW + part * p.filters + column;
  storeSome(yAt, vec4f(sum & vec4i(-4096)) + vec4f(sum & vec4i(4095)), min(p.filters - column, 4u));
}
