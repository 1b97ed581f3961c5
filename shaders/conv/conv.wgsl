// Convolution with channels innermost. `channels` and `filters` count one group's; weights lie in panels of 8 filters,
// within a panel by kernel position and input channel, those of `depthwise` by kernel position and channel.
struct Conv {
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
  rN: u32,
  rD: u32,
  rH: u32,
  rW: u32,
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

@group(0) @binding(2) var<uniform> p: Conv;

fn panelRows() -> u32 {
  return p.kernelD * p.kernelH * p.kernelW * p.channels;
}

// Up to four filters of a group from `column` on are written next.
fn seekChannels(column: u32, part: u32) {
  seekOperands(part * panelCount() * 8 + column);
}

fn writePixel(at: Pixel, column: u32, part: u32, sum: vec4f) {
  let c = part * p.filters + column;
  let rAt = p.rAt + at.n * p.rN + at.d * p.rD + at.h * p.rH + at.w * p.rW + c;
  let yAt = p.yAt + at.n * p.yN + at.d * p.yD + at.h * p.yH + at.w * p.yW + c;
  finishQuad(sum, rAt, yAt, min(p.filters - column, 4u));
}
