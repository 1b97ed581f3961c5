// Convolution with stride 1 as F(4 x 4, 3 x 3) (Lavin and Gray 2015, section 4.3): inputs to 36 points in scratch memory, a
// product for each point, and the points of the products to outputs. One group.
struct Winograd {
  batch: u32,
  groups: u32,
  channels: u32,
  filters: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  padH: u32,
  padW: u32,
  xN: u32,
  xH: u32,
  xW: u32,
  yN: u32,
  yH: u32,
  yW: u32,
  rN: u32,
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

@group(0) @binding(2) var<uniform> p: Winograd;

const POINTS: u32 = 36;

fn tileCount() -> u32 {
  return p.batch * ((p.outH + 3) / 4) * ((p.outW + 3) / 4);
}

// Inputs lie by point, tile and channel, and behind them products by point, tile and filter.
fn inputAt(point: u32, tile: u32) -> u32 {
  return p.scratchAt + (point * tileCount() + tile) * p.channels;
}

fn productAt(point: u32, tile: u32) -> u32 {
  return p.scratchAt + POINTS * tileCount() * p.channels + (point * tileCount() + tile) * p.filters;
}
